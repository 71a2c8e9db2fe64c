variable "sensor" {
  description = "Name or address of the sensor that agents connect to, such as its private address. Null opens the sensor's ports only."
  type        = string
  default     = null
}

variable "sensor_port" {
  description = "TCP port of the sensor, for the sessions."
  type        = number
  default     = 2003
}

variable "data_ports" {
  description = "UDP ports of the sensor, for the frames: the range that [data] of its ini names."
  type = object({
    first = number
    last  = number
  })
  default = { first = 2003, last = 2034 }

  validation {
    condition     = var.data_ports.first >= 1 && var.data_ports.first <= var.data_ports.last && var.data_ports.last <= 65535
    error_message = "The first port must not be above the last one, and both must be from 1 to 65535."
  }
}

variable "tcp_data" {
  description = "Whether frames come over TCP (rpcap-sensor --tcp): then the data ports are opened for TCP too."
  type        = bool
  default     = false
}

variable "agent_cidrs" {
  description = "Networks that agents connect from, such as 10.1.0.0/16. Nothing else can reach the sensor's ports."
  type        = list(string)

  validation {
    condition     = length(var.agent_cidrs) > 0
    error_message = "Name at least one network. Without one, some clouds open the ports to everybody, and others to nobody."
  }
  validation {
    condition     = alltrue([for network in var.agent_cidrs : can(cidrsubnet(network, 0, 0))])
    error_message = "Write each network with its length, as in 10.1.0.0/16."
  }
  validation {
    condition     = alltrue([for network in var.agent_cidrs : try(tonumber(split("/", network)[1]), 0) >= 8])
    error_message = "A network that is larger than /8 would open the sensor to strangers: the protocol has no encryption. Name the agents' own networks."
  }
}

variable "repository" {
  description = "Package repository to install from: its address, and the text of its public key (rpcapd.asc). See ../user-data."
  type = object({
    url = string
    key = string
  })
  default = null
}

variable "packages" {
  description = "Package files to install instead, by what uname -m prints, with their SHA-256. See ../user-data."
  type = map(object({
    url    = string
    sha256 = string
  }))
  default = {}
}

variable "interfaces" {
  description = "Interfaces that agents offer, by name. With neither these nor networks, the sensor chooses."
  type        = list(string)
  default     = []
}

variable "networks" {
  description = "Interfaces that agents offer, by a network that they have an address in."
  type        = list(string)
  default     = []
}

variable "name" {
  description = "Name of what is made here."
  type        = string
  default     = "rpcap-sensor"
}

variable "resource_group_name" {
  description = "Resource group of the sensor's network security group."
  type        = string
}

variable "network_security_group_name" {
  description = "Network security group of the sensor, to which the rules are added."
  type        = string
}

variable "first_priority" {
  description = "Priority of the first of at most three rules."
  type        = number
  default     = 2003

  validation {
    condition     = var.first_priority >= 100 && var.first_priority <= 4094
    error_message = "The priority must be from 100 to 4094."
  }
}

variable "virtual_machines" {
  description = "Virtual machines with Linux that run already and get the agent now: a name of your choice, and the machine's ID."
  type        = map(string)
  default     = {}
}

variable "tags" {
  description = "Tags of what is made here."
  type        = map(string)
  default     = {}
}
