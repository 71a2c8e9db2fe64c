module "user_data" {
  source = "../../"

  sensor     = "sensor.example.com"
  interfaces = ["eth0"]
  packages = {
    x86_64 = {
      url    = "https://files.example.com/rpcapd_1.0.0-1_amd64.deb"
      sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
    }
    aarch64 = {
      url    = "https://files.example.com/rpcapd_1.0.0-1_arm64.deb"
      sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
    }
  }
}

output "cloud_config" {
  value = module.user_data.cloud_config
}
