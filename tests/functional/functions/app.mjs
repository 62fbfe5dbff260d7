// SPDX-License-Identifier: MIT
// Handlers for the tests of the local Lambda environment.

export const echo = async (event, context) => {
  console.log('one record\nof two lines');
  process.stdout.write('first line\nsecond line\n');
  process.stderr.write('to stderr\n');
  process.stdout.write('no newline');
  return { event, requestId: context.awsRequestId };
};

export const fails = async () => {
  throw new TypeError('not today');
};

export const crashes = async () => {
  console.log('last words');
  process.exit(3);
};

export const hangs = () => new Promise((resolve) => setTimeout(resolve, 600_000));

export const ignoresSigterm = async () => {
  process.on('SIGTERM', () => console.log('SIGTERM came'));
};

export const environment = async () => process.env;

export const crashesOnce = async (event) => {
  if (event.crash) process.exit(1);
  return 'well again';
};

export const hangsAndSaysGoodbye = () => {
  process.on('SIGTERM', () => {
    console.log('goodbye');
    process.exit(0);
  });
  console.log('hello');
  return new Promise((resolve) => setTimeout(resolve, 600_000));
};
