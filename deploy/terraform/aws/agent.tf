# Instances that run already: Systems Manager runs the script on them.
locals {
  targets = merge(
    length(var.instance_ids) > 0 ? { InstanceIds = var.instance_ids } : {},
    { for tag, values in var.instance_tags : "tag:${tag}" => values },
  )
}

resource "aws_ssm_document" "agent" {
  count = var.sensor == null ? 0 : 1

  name            = "${var.name}-agent"
  document_type   = "Command"
  document_format = "JSON"
  tags            = var.tags
  content = jsonencode({
    schemaVersion = "2.2"
    description   = "Install rpcapd and name its sensor"
    mainSteps = [{
      action       = "aws:runShellScript"
      name         = "install"
      precondition = { StringEquals = ["platformType", "Linux"] }
      inputs       = { runCommand = split("\n", module.user_data[0].script) }
    }]
  })
}

resource "aws_ssm_association" "agent" {
  for_each = var.sensor == null ? {} : local.targets

  name             = aws_ssm_document.agent[0].name
  association_name = "${var.name}-agent"

  targets {
    key    = each.key
    values = each.value
  }
}
