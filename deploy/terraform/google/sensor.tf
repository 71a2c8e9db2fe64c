locals {
  data_ports = "${var.data_ports.first}-${var.data_ports.last}"
}

resource "google_compute_firewall" "sensor" {
  name          = var.name
  description   = "Sessions and frames of packet-forwarding agents"
  project       = var.project
  network       = var.network
  direction     = "INGRESS"
  source_ranges = var.agent_cidrs
  target_tags   = var.sensor_tags

  allow {
    protocol = "tcp"
    ports    = concat([tostring(var.sensor_port)], var.tcp_data ? [local.data_ports] : [])
  }

  allow {
    protocol = "udp"
    ports    = [local.data_ports]
  }
}
