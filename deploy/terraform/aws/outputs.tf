output "cloud_config" {
  description = "User data for new instances whose image has cloud-init; null without a sensor."
  value       = one(module.user_data[*].cloud_config)
}

output "script" {
  description = "The same as a shell script, for images without cloud-init; null without a sensor."
  value       = one(module.user_data[*].script)
}

output "security_group_id" {
  description = "Security group to attach to the sensor."
  value       = aws_security_group.sensor.id
}
