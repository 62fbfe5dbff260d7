# SPDX-License-Identifier: MIT

variable "role_name" {
  description = "Name of the function's execution role."
  type        = string
}

variable "stream_name" {
  description = "The stream that the logs go to."
  type        = string
  default     = "lambda-logs-direct-kinesis-no-cloudwatch"
}

variable "create_stream" {
  description = "Create the stream; false: it exists already, in this account and region."
  type        = bool
  default     = true
}

variable "layer_arn" {
  description = "ARN of a published version of the layer. Without one, layer_zip is published."
  type        = string
  default     = null
}

variable "layer_zip" {
  description = "The layer's zip: build/layer-x86_64.zip of `make layer`, or that of a release."
  type        = string
  default     = null
}

variable "architecture" {
  description = "Processor that layer_zip is for: x86_64 or arm64, as the function's."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "It is x86_64 or arm64."
  }
}

variable "deny_cloudwatch_logs" {
  description = "Deny the role what its managed policies allow on CloudWatch Logs; false: the logs go there, too."
  type        = bool
  default     = true
}
