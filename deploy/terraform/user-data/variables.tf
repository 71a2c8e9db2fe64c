variable "sensor" {
  description = "Name or address of the sensor that the agent connects to."
  type        = string

  validation {
    condition     = can(regex("^[0-9A-Za-z]([0-9A-Za-z.:-]*[0-9A-Za-z:])?$", var.sensor))
    error_message = "The sensor must be a host name or an IP address, without a port."
  }
}

variable "sensor_port" {
  description = "TCP port of the sensor."
  type        = number
  default     = 2003

  validation {
    condition     = var.sensor_port >= 1 && var.sensor_port <= 65535 && floor(var.sensor_port) == var.sensor_port
    error_message = "The port must be a whole number from 1 to 65535."
  }
}

variable "interfaces" {
  description = "Interfaces to offer, by name. With neither these nor networks, the sensor chooses."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.interfaces : can(regex("^[0-9A-Za-z_.:!*?/@-]{1,64}$", name))])
    error_message = "An interface is a name, or a pattern, such as eth0 or eth*."
  }
}

variable "networks" {
  description = "Interfaces to offer, by a network that they have an address in, such as 10.1.0.0/16."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for network in var.networks : can(cidrnetmask(network)) || can(cidrsubnet(network, 0, 0))])
    error_message = "A network is written as in 10.1.0.0/16."
  }
}

variable "repository" {
  description = "Package repository: its address, and the text of its public key (rpcapd.asc). Give this or packages."
  type = object({
    url = string
    key = string
  })
  default = null

  validation {
    condition     = var.repository == null || can(regex("^(https?|file)://[^\\s'\"\\\\$`]+[^\\s'\"\\\\$`/]$", var.repository.url))
    error_message = "The address of the repository begins with https:// and does not end with a slash."
  }
  validation {
    condition     = var.repository == null || can(regex("(?s)^-----BEGIN PGP PUBLIC KEY BLOCK-----\n.*\n-----END PGP PUBLIC KEY BLOCK-----\\s*$", var.repository.key))
    error_message = "The key is the text of rpcapd.asc, from BEGIN to END PGP PUBLIC KEY BLOCK."
  }
}

variable "packages" {
  description = "Package files, by the architecture that uname -m prints (x86_64, aarch64): where each is, and its SHA-256. Give this or repository."
  type = map(object({
    url    = string
    sha256 = string
  }))
  default = {}

  validation {
    condition     = alltrue([for package in values(var.packages) : can(regex("^(https?|file)://[^\\s'\"\\\\$`]+\\.(deb|rpm)$", package.url))])
    error_message = "The address of a package begins with https:// and ends with .deb or .rpm."
  }
  validation {
    condition     = alltrue([for package in values(var.packages) : can(regex("^[0-9a-f]{64}$", package.sha256))])
    error_message = "A SHA-256 has 64 digits, in lower case; SHA256SUMS lists it."
  }
  validation {
    condition     = alltrue([for machine in keys(var.packages) : can(regex("^[0-9a-z_]+$", machine))])
    error_message = "An architecture is what uname -m prints, as in x86_64."
  }
}
