provider "google" {
  project = "example"
  region  = "europe-west3"
}

module "rpcapd" {
  source = "../"

  network         = "default"
  sensor_tags     = ["rpcap-sensor"]
  agent_cidrs     = ["10.156.0.0/20"]
  sensor          = "10.156.0.5"
  zones           = ["europe-west3-a"]
  instance_labels = { capture = "yes" }
  repository = {
    url = "https://packages.example.com/rpcapd"
    key = file("${path.module}/rpcapd.asc")
  }
}

# A new instance gets the agent when it boots. Debian images of Google have no cloud-init; with it, use user-data = cloud_config.
resource "google_compute_instance" "web" {
  name         = "web"
  machine_type = "e2-small"
  zone         = "europe-west3-a"

  boot_disk {
    initialize_params {
      image = "debian-cloud/debian-12"
    }
  }

  network_interface {
    network = "default"
  }

  metadata = {
    startup-script = module.rpcapd.script
  }
}
