locals {
  # An IPv6 address is in brackets in front of a port.
  sensor = format(strcontains(var.sensor, ":") ? "[%s]:%d" : "%s:%d", var.sensor, var.sensor_port)

  script = templatefile("${path.module}/install.sh.tftpl", {
    arguments = concat(
      ["--sensor", local.sensor],
      flatten([for name in var.interfaces : ["--interface", name]]),
      flatten([for network in var.networks : ["--cidr", network]]),
    )
    repository = var.repository
    packages   = var.packages
  })
  cloud_config = templatefile("${path.module}/cloud-config.yaml.tftpl", { script = local.script })
  one_source   = (var.repository != null) != (length(var.packages) > 0)
  source_error = "Give either repository or packages, and not both."
}
