module "user_data" {
  source = "../../"

  sensor = "sensor.example.com"
  repository = {
    url = "https://packages.example.com/rpcapd"
    key = file("${path.module}/rpcapd.asc")
  }
}

output "cloud_config" {
  value = module.user_data.cloud_config
}
