// SPDX-License-Identifier: MIT
// A Node.js runtime for the local Lambda environment: it loads the handler that _HANDLER names from
// LAMBDA_TASK_ROOT and runs it for each invocation that the Runtime API gives out.
import { AsyncLocalStorage } from 'node:async_hooks';
import { existsSync, writeSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';

const { AWS_LAMBDA_LOG_FORMAT, AWS_LAMBDA_RUNTIME_API, LAMBDA_TASK_ROOT } = process.env;
const { _HANDLER, _LAMBDA_TELEMETRY_LOG_FD } = process.env;
const FRAME_TYPE = 0xa55a0003;
const CONCURRENCY = Number(process.env.AWS_LAMBDA_MAX_CONCURRENCY ?? 1);
const agent = new http.Agent({ keepAlive: true });
// The request id of the invocation that the running code belongs to.
const current = new AsyncLocalStorage();

// Not fetch(): it gives up on an answer after five minutes, and `next` may take longer.
function call(method, route, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const url = `http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/${route}`;
    const request = http.request(url, { method, headers, agent }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => resolve({ answer, body: Buffer.concat(chunks) }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

function textLine(level, values) {
  return [new Date().toISOString(), current.getStore(), level, `${format(...values)}\n`].join('\t');
}

function jsonLine(level, values) {
  const isObject = values.length === 1 && values[0]?.constructor === Object;
  const message = isObject ? values[0] : format(...values);
  const requestId = current.getStore();
  return `${JSON.stringify({ timestamp: new Date().toISOString(), level, requestId, message })}\n`;
}

// One call of console is one record, however many lines it has.
function log(level, values) {
  const line = AWS_LAMBDA_LOG_FORMAT === 'JSON' ? jsonLine : textLine;
  const message = Buffer.from(line(level, values));
  const header = Buffer.alloc(16);
  header.writeUInt32BE(FRAME_TYPE, 0);
  header.writeUInt32BE(message.length, 4);
  header.writeBigInt64BE(BigInt(Date.now()) * 1000n, 8);
  writeAll(Number(_LAMBDA_TELEMETRY_LOG_FD), Buffer.concat([header, message]));
}

function writeAll(fd, bytes) {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(fd, bytes, written);
  }
}

function patchConsole() {
  const levels = { log: 'INFO', info: 'INFO', debug: 'DEBUG', trace: 'TRACE', warn: 'WARN', error: 'ERROR' };
  for (const [name, level] of Object.entries(levels)) {
    console[name] = (...values) => log(level, values);
  }
}

async function loadHandler() {
  const dot = _HANDLER.lastIndexOf('.');
  const stem = path.join(LAMBDA_TASK_ROOT, _HANDLER.slice(0, dot));
  const file = ['.js', '.mjs', '.cjs'].map((suffix) => stem + suffix).find(existsSync);
  if (!file) {
    throw Object.assign(new Error(`Cannot find module '${stem}'`), { name: 'Runtime.ImportModuleError' });
  }
  const handler = (await import(pathToFileURL(file)))[_HANDLER.slice(dot + 1)];
  if (typeof handler !== 'function') {
    throw Object.assign(new Error(`${_HANDLER} is not exported`), { name: 'Runtime.HandlerNotFound' });
  }
  return handler;
}

function described(error) {
  const { name = 'Error', message = String(error), stack = '' } = error ?? {};
  const body = JSON.stringify({ errorType: name, errorMessage: message, stackTrace: stack.split('\n') });
  return [body, { 'Lambda-Runtime-Function-Error-Type': name }];
}

function contextOf(headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  return {
    awsRequestId: current.getStore(),
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

async function serveOne(handler) {
  const invocation = await call('GET', 'invocation/next');
  const requestId = invocation.answer.headers['lambda-runtime-aws-request-id'];
  await current.run(requestId, run, handler, requestId, invocation);
}

async function run(handler, requestId, { answer, body }) {
  process.env._X_AMZN_TRACE_ID = answer.headers['lambda-runtime-trace-id'];
  const echo = { 'Lambda-Runtime-Invocation-Id': answer.headers['lambda-runtime-invocation-id'] };
  const route = `invocation/${requestId}`;
  try {
    const result = await handler(JSON.parse(body), contextOf(answer.headers));
    await call('POST', `${route}/response`, JSON.stringify(result ?? null), echo);
  } catch (error) {
    log('ERROR', ['Invoke Error', error]);
    const [description, headers] = described(error);
    await call('POST', `${route}/error`, description, { ...headers, ...echo });
  }
}

patchConsole();
let handler;
try {
  handler = await loadHandler();
} catch (error) {
  const [description, headers] = described(error);
  await call('POST', 'init/error', description, headers);
  process.exit(1);
}
async function serve() {
  for (;;) {
    await serveOne(handler);
  }
}

await Promise.all(Array.from({ length: CONCURRENCY }, serve));
