# SPDX-License-Identifier: MIT
# terraform test (1.7 or later), or tofu test: nothing is asked of AWS.

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws-cn" }
  }
  mock_data "aws_kinesis_stream" {
    defaults = { arn = "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/there" }
  }
  mock_resource "aws_kinesis_stream" {
    defaults = { arn = "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/new" }
  }
  mock_resource "aws_lambda_layer_version" {
    defaults = { arn = "arn:aws-cn:lambda:cn-north-1:123456789012:layer:kinesis-stream-logs-extension-x86_64:1" }
  }
}

variables {
  role_name = "orders"
  layer_zip = "main.tf" # any file
}

run "a_new_stream_and_a_layer_of_the_zip" {
  assert {
    condition     = output.layers == [aws_lambda_layer_version.extension[0].arn]
    error_message = "The layer that is published is the one for the function."
  }
  assert {
    condition     = output.environment == { AWS_KINESIS_STREAM_NAME = aws_kinesis_stream.logs[0].name }
    error_message = "The extension is told the new stream."
  }
  assert {
    condition     = aws_kinesis_stream.logs[0].encryption_type == "KMS"
    error_message = "The new stream is encrypted."
  }
  assert {
    condition     = aws_lambda_layer_version.extension[0].source_code_hash == filebase64sha256("main.tf")
    error_message = "Another zip is another version."
  }
  assert {
    condition     = aws_iam_role_policy.logs.role == "orders"
    error_message = "It is the function's role that gets the policy."
  }
  assert {
    condition = jsondecode(aws_iam_role_policy.logs.policy).Statement == [
      {
        Sid      = "KinesisPutRecords"
        Effect   = "Allow"
        Action   = "kinesis:PutRecords"
        Resource = "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/new"
      },
      {
        Sid      = "CloudWatchLogsDeny"
        Effect   = "Deny"
        Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "arn:aws-cn:logs:*:*:*"
      },
    ]
    error_message = "The role may write to this stream, and not to CloudWatch Logs."
  }
}

run "a_stream_a_layer_and_cloudwatch_logs_are_left_as_they_are_when_asked_for" {
  variables {
    stream_name          = "there"
    create_stream        = false
    layer_arn            = "arn:aws-cn:lambda:cn-north-1:123456789012:layer:published:7"
    layer_zip            = null
    deny_cloudwatch_logs = false
  }
  assert {
    condition     = length(aws_kinesis_stream.logs) == 0 && length(aws_lambda_layer_version.extension) == 0
    error_message = "Nothing is created that there is."
  }
  assert {
    condition     = output.layers == [var.layer_arn] && output.environment.AWS_KINESIS_STREAM_NAME == "there"
    error_message = "The function gets what there is."
  }
  assert {
    condition = [for s in jsondecode(aws_iam_role_policy.logs.policy).Statement : [s.Effect, s.Resource]] == [
      ["Allow", "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/there"]
    ]
    error_message = "The role may write to the stream that there is, and nothing is denied."
  }
}

run "without_a_layer_it_says_what_is_missing" {
  command = plan
  variables {
    layer_zip = null
  }
  expect_failures = [aws_lambda_layer_version.extension]
}

run "an_architecture_that_lambda_does_not_have_is_refused" {
  command = plan
  variables {
    architecture = "arm"
  }
  expect_failures = [var.architecture]
}
