provider "aws" {
  region = "eu-central-1"
}

variable "vpc_id" {
  type = string
}

variable "subnet_id" {
  type = string
}

variable "image_id" {
  type = string
}

module "rpcapd" {
  source = "../"

  vpc_id        = var.vpc_id
  agent_cidrs   = ["10.1.0.0/16"]
  sensor        = "10.1.0.5"
  instance_tags = { capture = ["yes"] }
  repository = {
    url = "https://packages.example.com/rpcapd"
    key = file("${path.module}/rpcapd.asc")
  }
}

# A new instance gets the agent when it boots.
resource "aws_instance" "web" {
  ami           = var.image_id
  instance_type = "t3.small"
  subnet_id     = var.subnet_id
  user_data     = module.rpcapd.cloud_config
}
