# SPDX-License-Identifier: MIT
# A function as it may be there already. What sends its logs to Kinesis is the module, and the two lines of the
# function that name it.

provider "aws" {
  region = "us-east-1"
}

module "kinesis_logs" {
  source = "../"

  role_name = aws_iam_role.orders.name
  layer_zip = "../../../build/layer-x86_64.zip"
}

resource "aws_lambda_function" "orders" {
  function_name    = "orders"
  role             = aws_iam_role.orders.arn
  runtime          = "nodejs24.x"
  handler          = "app.handler"
  filename         = "orders.zip"
  source_code_hash = filebase64sha256("orders.zip")
  memory_size      = 256
  timeout          = 10
  layers           = concat([], module.kinesis_logs.layers)

  environment {
    variables = merge({ STAGE = "prod" }, module.kinesis_logs.environment)
  }
}

resource "aws_iam_role" "orders" {
  name = "orders"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "orders" {
  role       = aws_iam_role.orders.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}
