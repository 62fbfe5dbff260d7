# SPDX-License-Identifier: MIT

output "layers" {
  description = "For the function's layers, beside those that it has."
  value       = [coalesce(var.layer_arn, one(aws_lambda_layer_version.extension[*].arn))]
}

output "environment" {
  description = "For the function's environment variables, beside those that it has."
  value       = { AWS_KINESIS_STREAM_NAME = var.stream_name }
}

output "stream_arn" {
  description = "Where the logs are."
  value       = local.stream_arn
}
