resource "aws_security_group" "sensor" {
  name        = var.name
  description = "Sessions and frames of packet-forwarding agents"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = var.name })
}

locals {
  data_protocols = var.tcp_data ? ["udp", "tcp"] : ["udp"]
  data_rules     = { for pair in setproduct(local.data_protocols, var.agent_cidrs) : "${pair[0]} ${pair[1]}" => pair }
}

resource "aws_vpc_security_group_ingress_rule" "session" {
  for_each = toset(var.agent_cidrs)

  security_group_id = aws_security_group.sensor.id
  description       = "sessions of agents"
  ip_protocol       = "tcp"
  from_port         = var.sensor_port
  to_port           = var.sensor_port
  cidr_ipv4         = strcontains(each.value, ":") ? null : each.value
  cidr_ipv6         = strcontains(each.value, ":") ? each.value : null
  tags              = var.tags
}

resource "aws_vpc_security_group_ingress_rule" "data" {
  for_each = local.data_rules

  security_group_id = aws_security_group.sensor.id
  description       = "frames of agents"
  ip_protocol       = each.value[0]
  from_port         = var.data_ports.first
  to_port           = var.data_ports.last
  cidr_ipv4         = strcontains(each.value[1], ":") ? null : each.value[1]
  cidr_ipv6         = strcontains(each.value[1], ":") ? each.value[1] : null
  tags              = var.tags
}
