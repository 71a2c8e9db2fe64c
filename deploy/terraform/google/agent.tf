# Instances that run already: VM Manager runs the script on those with the labels. An exit status of 100 means "as it should be".
resource "google_os_config_os_policy_assignment" "agent" {
  for_each = var.sensor == null ? [] : var.zones

  name        = "${var.name}-agent"
  description = "Install rpcapd and name its sensor"
  project     = var.project
  location    = each.value

  instance_filter {
    all = false

    inclusion_labels {
      labels = var.instance_labels
    }
  }

  os_policies {
    id   = "rpcapd"
    mode = "ENFORCEMENT"

    resource_groups {
      resources {
        id = "install"

        exec {
          validate {
            interpreter = "SHELL"
            script      = "PATH=$PATH:/usr/sbin; command -v rpcapd >/dev/null && rpcapd check >/dev/null && exit 100; exit 101"
          }

          enforce {
            interpreter = "SHELL"
            script      = "(\n${module.user_data[0].script}\n)\n[ $? = 0 ] && exit 100\nexit 101"
          }
        }
      }
    }
  }

  rollout {
    min_wait_duration = "60s"

    disruption_budget {
      percent = 10
    }
  }

  lifecycle {
    precondition {
      condition     = length(var.instance_labels) > 0
      error_message = "instance_labels is empty: name the labels of the instances that get the agent."
    }
  }
}
