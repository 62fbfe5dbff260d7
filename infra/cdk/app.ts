// SPDX-License-Identifier: MIT
// A function as it may be there already; what sends its logs to Kinesis is the layer and the construct.
//   cdk synth -c layerZip=build/layer-x86_64.zip   publishes that zip
//   cdk synth -c layerArn=arn:aws:lambda:...       takes a published version
//   ... -c stream=NAME                             takes a stream that there is
import { App, Stack } from 'aws-cdk-lib';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { KinesisStreamLogs } from './kinesis-stream-logs.ts';

const app = new App();
const stack = new Stack(app, 'orders');
const architecture = lambda.Architecture.X86_64;

const orders = new lambda.Function(stack, 'Orders', {
  runtime: lambda.Runtime.NODEJS_24_X,
  architecture,
  handler: 'app.handler',
  code: lambda.Code.fromAsset(app.node.tryGetContext('code') ?? 'orders'),
  environment: { STAGE: 'prod' },
});

new KinesisStreamLogs(stack, 'Logs', { function: orders, layer: layer(), stream: stream() });

function layer(): lambda.ILayerVersion {
  const arn = app.node.tryGetContext('layerArn');
  if (arn) return lambda.LayerVersion.fromLayerVersionArn(stack, 'Layer', arn);
  return new lambda.LayerVersion(stack, 'Layer', {
    layerVersionName: `kinesis-stream-logs-extension-${architecture.name}`,
    code: lambda.Code.fromAsset(app.node.getContext('layerZip')),
    compatibleArchitectures: [architecture],
    license: 'MIT',
  });
}

function stream(): kinesis.IStream | undefined {
  const name = app.node.tryGetContext('stream');
  if (!name) return undefined;
  return kinesis.Stream.fromStreamArn(stack, 'Stream', stack.formatArn({ service: 'kinesis', resource: 'stream', resourceName: name }));
}
