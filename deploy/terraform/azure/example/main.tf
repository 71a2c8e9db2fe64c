provider "azurerm" {
  features {}
}

variable "virtual_machine_id" {
  type = string
}

module "rpcapd" {
  source = "../"

  resource_group_name         = "monitoring"
  network_security_group_name = "sensor"
  agent_cidrs                 = ["10.1.0.0/16"]
  sensor                      = "10.1.0.5"
  virtual_machines            = { web = var.virtual_machine_id }
  repository = {
    url = "https://packages.example.com/rpcapd"
    key = file("${path.module}/rpcapd.asc")
  }
}

# For azurerm_linux_virtual_machine: custom_data = this.
output "custom_data" {
  value = base64encode(module.rpcapd.cloud_config)
}
