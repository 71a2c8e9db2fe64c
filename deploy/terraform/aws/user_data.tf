module "user_data" {
  source = "../user-data"
  count  = var.sensor == null ? 0 : 1

  sensor      = var.sensor
  sensor_port = var.sensor_port
  interfaces  = var.interfaces
  networks    = var.networks
  repository  = var.repository
  packages    = var.packages
}
