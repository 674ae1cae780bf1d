import { type DestinationStream, type Logger, pino } from 'pino';

export type Log = Logger;

/** JSON lines on stderr; secrets never get here because nothing passes them in, and known fields are cut as a net. */
export function createLog(level: string, destination?: DestinationStream): Log {
  const options = {
    level,
    redact: {
      paths: ['token', '*.token', 'secret', '*.secret', 'authorization', '*.authorization'],
      censor: '[cut]',
    },
  };
  return pino(options, destination ?? pino.destination({ dest: 2, sync: true }));
}
