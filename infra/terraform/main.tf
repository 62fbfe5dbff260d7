# SPDX-License-Identifier: MIT
# What a function needs to have its logs in Kinesis: the layer, a stream, and the right to write to it. The function
# stays where it is and takes the outputs (see example/main.tf).

terraform {
  required_version = ">= 1.3"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

locals {
  layer_name = "kinesis-stream-logs-extension-${var.architecture}"
  stream_arn = one(concat(aws_kinesis_stream.logs[*].arn, data.aws_kinesis_stream.logs[*].arn))

  put_records = {
    Sid      = "KinesisPutRecords"
    Effect   = "Allow"
    Action   = "kinesis:PutRecords"
    Resource = local.stream_arn
  }
  # Lambda always offers its logs to CloudWatch, and AWSLambdaBasicExecutionRole allows to write them.
  no_cloudwatch_logs = {
    Sid      = "CloudWatchLogsDeny"
    Effect   = "Deny"
    Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    Resource = "arn:${data.aws_partition.current.partition}:logs:*:*:*"
  }
}

data "aws_partition" "current" {}

data "aws_kinesis_stream" "logs" {
  count = var.create_stream ? 0 : 1

  name = var.stream_name
}

resource "aws_kinesis_stream" "logs" {
  count = var.create_stream ? 1 : 0

  name             = var.stream_name
  shard_count      = 1
  retention_period = 24
  encryption_type  = "KMS"
  kms_key_id       = "alias/aws/kinesis"
}

resource "aws_lambda_layer_version" "extension" {
  count = var.layer_arn == null ? 1 : 0

  layer_name               = local.layer_name
  filename                 = var.layer_zip
  source_code_hash         = filebase64sha256(var.layer_zip)
  compatible_architectures = [var.architecture]
  license_info             = "MIT"

  lifecycle {
    precondition {
      condition     = var.layer_zip != null
      error_message = "Give layer_arn or layer_zip."
    }
  }
}

resource "aws_iam_role_policy" "logs" {
  name = "kinesis-stream-logs-extension"
  role = var.role_name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat([local.put_records], var.deny_cloudwatch_logs ? [local.no_cloudwatch_logs] : [])
  })
}
