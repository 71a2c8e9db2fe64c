output "cloud_config" {
  description = "User data for images with cloud-init."
  value       = local.cloud_config

  precondition {
    condition     = local.one_source
    error_message = local.source_error
  }
}

output "script" {
  description = "The same as a shell script, for images without cloud-init and for instances that run already. It can run at each boot."
  value       = local.script

  precondition {
    condition     = local.one_source
    error_message = local.source_error
  }
}
