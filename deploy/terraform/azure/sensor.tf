locals {
  rules = concat(
    [{ name = "sessions", protocol = "Tcp", ports = tostring(var.sensor_port) }],
    [{ name = "frames", protocol = "Udp", ports = "${var.data_ports.first}-${var.data_ports.last}" }],
    var.tcp_data ? [{ name = "frames-tcp", protocol = "Tcp", ports = "${var.data_ports.first}-${var.data_ports.last}" }] : [],
  )
}

resource "azurerm_network_security_rule" "sensor" {
  for_each = { for place, rule in local.rules : rule.name => merge(rule, { priority = var.first_priority + place }) }

  name                        = "${var.name}-${each.key}"
  description                 = "Packet-forwarding agents: ${each.key}"
  resource_group_name         = var.resource_group_name
  network_security_group_name = var.network_security_group_name
  priority                    = each.value.priority
  direction                   = "Inbound"
  access                      = "Allow"
  protocol                    = each.value.protocol
  source_port_range           = "*"
  destination_port_range      = each.value.ports
  source_address_prefixes     = var.agent_cidrs
  destination_address_prefix  = "*"
}
