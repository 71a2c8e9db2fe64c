<#
.SYNOPSIS
Installs the packet forwarding agent rpcapd as a service, from the folder that this script is in.

.DESCRIPTION
Copies the program to %ProgramFiles%\rpcapd, writes the sensor into %ProgramData%\rpcapd\rpcapd.ini, and registers and
starts the service rpcapd. You can repeat it: it upgrades the program, and changes what you name. An installation of the
C agent, %ProgramFiles%\rpcapd\rpcapd.ini with a service rpcapd, is taken over with its sensors and options.

Run it as an administrator. Where an msi has installed the agent, use msiexec instead.

.PARAMETER RpcapIP
Name or address of the sensor. Without it, an existing configuration stays as it is.

.PARAMETER RpcapPort
TCP port of the sensor.

.PARAMETER InputDir
Folder that has rpcapd.exe; the folder of this script if left out.

.PARAMETER OutputDir
Folder to install the program to.

.PARAMETER ZipUrl
Address of the zip with the program, which is used instead of InputDir.

.PARAMETER ConfigOnly
Changes the configuration of an installed agent, and nothing else.

.PARAMETER KeepConfig
Leaves an existing configuration as it is, also if RpcapIP is given.

.PARAMETER DaemonAddlArgs
Further arguments for the agent, as in "-t 1400 -i 'Ethernet 2'". They are kept in %ProgramData%\rpcapd\rpcapd.options,
as are those of a C agent that is taken over. What this agent does not know is refused by name.

.PARAMETER Uninstall
Removes the service and the program. The configuration stays.

.EXAMPLE
.\install-rpcapd.ps1 -RpcapIP 10.0.0.5

.EXAMPLE
.\install-rpcapd.ps1 -Uninstall
#>
[CmdletBinding()]
param(
    [ValidatePattern('^[A-Za-z0-9._:%-]*$')]
    [string] $RpcapIP = '',
    [ValidateRange(1, 65535)]
    [int] $RpcapPort = 2003,
    [string] $InputDir = $PSScriptRoot,
    [string] $OutputDir = (Join-Path $env:ProgramFiles 'rpcapd'),
    [string] $ZipUrl = '',
    [switch] $ConfigOnly,
    [switch] $KeepConfig,
    [string] $DaemonAddlArgs = '',
    [switch] $Uninstall
)

$ErrorActionPreference = 'Stop'
$service = 'rpcapd'
$data = Join-Path $env:ProgramData 'rpcapd'
$ini = Join-Path $data 'rpcapd.ini'
$program = Join-Path $OutputDir 'rpcapd.exe'
# What an installation consists of; nothing else is removed from the folder.
$files = 'rpcapd.exe', 'rpcapd.cdx.json', 'rpcapd.ini.example', 'install-rpcapd.ps1', '*.md', 'LICENSE.txt', 'THIRD-PARTY.txt'

function Test-Administrator {
    $user = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent())
    return $user.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
}

# Get-InstalledMsi names the msi that has installed the agent, if one has.
function Get-InstalledMsi {
    Get-ItemProperty 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\*' -ErrorAction SilentlyContinue |
        Where-Object { $_.PSObject.Properties['DisplayName'] -and $_.DisplayName -eq 'rpcapd' -and
            $_.PSObject.Properties['WindowsInstaller'] -and $_.WindowsInstaller -eq 1 } |
        Select-Object -First 1
}

# Invoke-Agent runs the program. It prints what went wrong itself; the statuses that are listed are no failure.
function Invoke-Agent {
    param([string] $Path, [string[]] $Arguments, [int[]] $Good = @(0))
    & $Path @Arguments
    if ($Good -notcontains $LASTEXITCODE) {
        throw "rpcapd $($Arguments -join ' ') ended with status $LASTEXITCODE; the reason is above."
    }
}

function Test-OldAgent {
    $key = Get-ItemProperty "HKLM:\SYSTEM\CurrentControlSet\Services\$service" -ErrorAction SilentlyContinue
    return $null -ne $key -and $key.ImagePath -notmatch '\sservice\s+run\s'
}

function Stop-Agent {
    $running = Get-Service $service -ErrorAction SilentlyContinue
    if ($null -ne $running -and $running.Status -ne 'Stopped') {
        Stop-Service $service -Force
        $running.WaitForStatus('Stopped', [TimeSpan]::FromSeconds(30))
    }
}

# Get-Files returns the folder with the files to install.
function Get-Files {
    if ($ZipUrl -eq '') {
        return $InputDir
    }
    $folder = Join-Path ([IO.Path]::GetTempPath()) ([Guid]::NewGuid().ToString())
    New-Item -ItemType Directory -Path $folder | Out-Null
    $zip = Join-Path $folder 'rpcapd.zip'
    [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
    Invoke-WebRequest -UseBasicParsing -Uri $ZipUrl -OutFile $zip
    Expand-Archive -Path $zip -DestinationPath $folder
    $found = Get-ChildItem -Path $folder -Recurse -Filter 'rpcapd.exe' | Select-Object -First 1
    if ($null -eq $found) {
        throw "$ZipUrl has no rpcapd.exe in it."
    }
    return $found.DirectoryName
}

function Copy-Files {
    param([string] $From)
    New-Item -ItemType Directory -Force -Path $OutputDir | Out-Null
    if ((Resolve-Path $From).Path.TrimEnd('\') -eq (Resolve-Path $OutputDir).Path.TrimEnd('\')) {
        return
    }
    foreach ($name in $files) {
        Copy-Item -Path (Join-Path $From $name) -Destination $OutputDir -Force -ErrorAction SilentlyContinue
    }
    if ((Get-FileHash (Join-Path $From 'rpcapd.exe')).Hash -ne (Get-FileHash $program).Hash) {
        throw "Cannot replace $program; close what uses it, and try again."
    }
}

function Set-Configuration {
    param([string] $Path)
    if ($RpcapIP -ne '' -and -not ($KeepConfig -and (Test-Path $ini))) {
        # Status 4: the line is written, and the sensor does not answer now.
        Invoke-Agent $Path @('setup', '--replace', '--sensor', "$RpcapIP, $RpcapPort", '--no-reload', '-f', $ini) -Good 0, 4
    } elseif (-not (Test-Path $ini)) {
        Invoke-Agent $Path @('setup', '--first', '-f', $ini)
    }
    Invoke-Agent $Path @('check', '-f', $ini)
}

function Install-Agent {
    $from = Get-Files
    $new = Join-Path $from 'rpcapd.exe'
    if (-not (Test-Path $new)) {
        throw "There is no rpcapd.exe in $from; name its folder with -InputDir."
    }
    Invoke-Agent $new @('version') | Out-Null
    if ((Test-OldAgent) -and -not (Test-Path $ini)) {
        Write-Output 'Found an installation of the C agent.'
        # Status 1: it has no sensor that can be taken over, which is told; a sensor that is named is used then.
        $good = if ($RpcapIP -ne '') { 0, 1, 4 } else { 0, 4 }
        Invoke-Agent $new @('setup', '--migrate', '--no-dial', '--no-reload', '-f', $ini) -Good $good
    }
    Stop-Agent
    Copy-Files $from
    Set-Configuration $program
    $registered = $null -ne (Get-Service $service -ErrorAction SilentlyContinue)
    if ($registered -and $DaemonAddlArgs -eq '' -and -not (Test-OldAgent)) {
        Invoke-Agent $program @('service', 'configure', '-f', $ini) # its options and its start stay
    } else {
        if ($registered) {
            Invoke-Agent $program @('service', 'uninstall')
        }
        $arguments = @('service', 'install', '-f', $ini)
        if ($DaemonAddlArgs -ne '') {
            $arguments += '--'
            $arguments += [regex]::Matches($DaemonAddlArgs, '"[^"]*"|''[^'']*''|\S+') | ForEach-Object { $_.Value.Trim('"', "'") }
        }
        Invoke-Agent $program $arguments
    }
    Invoke-Agent $program @('service', 'start')
    Write-Output "The service $service runs. Its configuration is $ini."
}

function Uninstall-Agent {
    if (Test-Path $program) {
        Stop-Agent
        Invoke-Agent $program @('service', 'uninstall')
        foreach ($name in $files) {
            Remove-Item -Path (Join-Path $OutputDir $name) -Force -ErrorAction SilentlyContinue
        }
        if (-not (Get-ChildItem $OutputDir -Force)) {
            Remove-Item $OutputDir
        }
    } elseif ($null -eq (Get-Service $service -ErrorAction SilentlyContinue)) {
        throw "Nothing to remove: there is neither $program nor a service $service."
    } else {
        throw "There is a service $service but no $program; name its folder with -OutputDir."
    }
    Remove-Item -Recurse -Force (Join-Path $data 'status') -ErrorAction SilentlyContinue
    Write-Output "Removed the service and the program. $ini stays."
}

if (-not (Test-Administrator)) {
    throw 'Run this script as an administrator.'
}
if ($Uninstall) {
    if (Get-InstalledMsi) { throw 'An msi has installed rpcapd; remove it with "msiexec /x" or in the settings.' }
    Uninstall-Agent
} elseif ($ConfigOnly) {
    if (-not (Test-Path $program)) { throw "There is no $program yet; install without -ConfigOnly first." }
    Set-Configuration $program
    Invoke-Agent $program @('reload') -Good 0, 3
} else {
    if (Get-InstalledMsi) { throw 'An msi has installed rpcapd; upgrade with "msiexec /i", or change its sensor with -ConfigOnly.' }
    Install-Agent
}
