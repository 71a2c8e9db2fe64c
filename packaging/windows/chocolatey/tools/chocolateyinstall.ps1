$ErrorActionPreference = 'Stop'

$parameters = Get-PackageParameters
$properties = '/qn /norestart'
foreach ($pair in @(('SensorHost', 'SENSOR_HOST'), ('SensorPort', 'SENSOR_PORT'), ('Interface', 'INTERFACE'), ('Cidr', 'CIDR'), ('ServiceStart', 'SERVICE_START'))) {
    $value = $parameters[$pair[0]]
    if ($value) {
        if ($value -match '["\r\n;]') {
            throw "/$($pair[0]): quotation marks, semicolons and line breaks are not allowed."
        }
        $properties += " $($pair[1])=`"$value`""
    }
}

$package = @{
    packageName    = 'rpcapd'
    fileType       = 'msi'
    url64bit       = '{{URL}}/rpcapd-{{VERSION}}-windows-amd64.msi'
    checksum64     = '{{SHA256_AMD64}}'
    checksumType64 = 'sha256'
    silentArgs     = $properties
    validExitCodes = @(0, 3010)
}
Install-ChocolateyPackage @package
