// SPDX-License-Identifier: MIT
// Sends a function's logs to Kinesis: gives it the layer, the name of the stream and the right to write to it.
import { Aws } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

export interface KinesisStreamLogsProps {
  /** It keeps its code, layers and variables. */
  readonly function: lambda.Function;
  /** The layer for the function's architecture: a published version, or one of this stack. */
  readonly layer: lambda.ILayerVersion;
  /** Where the logs go. Default: a new stream with one shard, encrypted with alias/aws/kinesis. */
  readonly stream?: kinesis.IStream;
  /** Deny the role what its managed policies allow on CloudWatch Logs. Default: true. */
  readonly denyCloudWatchLogs?: boolean;
}

export class KinesisStreamLogs extends Construct {
  readonly stream: kinesis.IStream;

  constructor(scope: Construct, id: string, props: KinesisStreamLogsProps) {
    super(scope, id);
    this.stream = props.stream ?? newStream(this);
    props.function.addLayers(props.layer);
    props.function.addEnvironment('AWS_KINESIS_STREAM_NAME', this.stream.streamName);
    props.function.addToRolePolicy(putRecords(this.stream));
    if (props.denyCloudWatchLogs ?? true) props.function.addToRolePolicy(noCloudWatchLogs());
  }
}

function newStream(scope: Construct): kinesis.Stream {
  return new kinesis.Stream(scope, 'Stream', {
    streamMode: kinesis.StreamMode.PROVISIONED,
    shardCount: 1,
    encryption: kinesis.StreamEncryption.MANAGED,
  });
}

/** Not stream.grantWrite(): that allows more than the extension asks for. */
function putRecords(stream: kinesis.IStream): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'KinesisPutRecords',
    actions: ['kinesis:PutRecords'],
    resources: [stream.streamArn],
  });
}

/** Lambda always offers its logs to CloudWatch, and CDK gives every function the right to write them. */
function noCloudWatchLogs(): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'CloudWatchLogsDeny',
    effect: iam.Effect.DENY,
    actions: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
    resources: [`arn:${Aws.PARTITION}:logs:*:*:*`],
  });
}
