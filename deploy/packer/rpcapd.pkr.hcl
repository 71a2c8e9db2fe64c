# An image with rpcapd in it, for AWS. The build block is the same for other sources.
#
# The image names no sensor: what the image's user data runs, "rpcapd setup --sensor HOST", does. Until then the agent captures
# nothing.

packer {
  required_version = ">= 1.9"

  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = ">= 1.2"
    }
  }
}

variable "repository" {
  description = "Address of the package repository, without a slash at its end."
  type        = string

  validation {
    condition     = can(regex("^https?://[^ '\"]*[^ '\"/]$", var.repository))
    error_message = "The address begins with https:// and does not end with a slash."
  }
}

variable "repository_key" {
  description = "File with the public key of the repository (rpcapd.asc)."
  type        = string
  default     = "rpcapd.asc"
}

variable "region" {
  type    = string
  default = "eu-central-1"
}

source "amazon-ebs" "debian" {
  region        = var.region
  instance_type = "t3.small"
  ssh_username  = "admin"
  ami_name      = "rpcapd-{{timestamp}}"

  source_ami_filter {
    filters = {
      name                = "debian-13-amd64-*"
      virtualization-type = "hvm"
    }
    owners      = ["136693071363"] # Debian
    most_recent = true
  }
}

build {
  sources = ["source.amazon-ebs.debian"]

  provisioner "file" {
    source      = var.repository_key
    destination = "/tmp/rpcapd.asc"
  }

  provisioner "shell" {
    execute_command = "sudo env {{ .Vars }} sh -eu '{{ .Path }}'"
    env = {
      DEBIAN_FRONTEND = "noninteractive"
      REPOSITORY      = var.repository
    }
    inline = [
      "install -D -o root -g root -m 0644 /tmp/rpcapd.asc /etc/apt/keyrings/rpcapd.asc",
      "printf 'Types: deb\\nURIs: %s/apt\\nSuites: stable\\nComponents: main\\nSigned-By: /etc/apt/keyrings/rpcapd.asc\\n' \"$REPOSITORY\" >/etc/apt/sources.list.d/rpcapd.sources",
      "apt-get -q update",
      "apt-get -q -y install rpcapd",
      "rpcapd check",
      "rm -f /tmp/rpcapd.asc",
    ]
  }
}
