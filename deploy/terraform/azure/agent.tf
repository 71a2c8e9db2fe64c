# Machines that run already. A machine can have one extension of this type.
resource "azurerm_virtual_machine_extension" "agent" {
  for_each = var.sensor == null ? {} : var.virtual_machines

  name                       = "rpcapd"
  virtual_machine_id         = each.value
  publisher                  = "Microsoft.Azure.Extensions"
  type                       = "CustomScript"
  type_handler_version       = "2.1"
  auto_upgrade_minor_version = true
  protected_settings         = jsonencode({ script = base64encode(module.user_data[0].script) })
  tags                       = var.tags
}
