/** What the bot's next calls will suffer. 'reset' performs the call and then drops the connection, 'cut' drops it at once. */
export interface SlackFault {
  /** A method such as 'chat.postMessage', or '*' for all. */
  method: string;
  kind: '429' | '500' | 'reset' | 'cut' | 'hang';
  /** How many calls it hits, one by default; Infinity: until the faults are cleared. */
  times?: number;
  /** Hits only every so many-th of the calls that it is about. */
  every?: number;
  retryAfterSeconds?: number;
  /** Only calls for this channel id. */
  channel?: string;
}

/** The faults that are still to come. */
export interface SlackFaults {
  add(fault: SlackFault): void;
  /** Uses up and returns the fault for this call, if there is one. */
  take(method: string, channel: string): SlackFault | undefined;
  clear(): void;
}

/** Starts with none. */
export function createFaults(): SlackFaults {
  let waiting: { fault: SlackFault; left: number; met: number }[] = [];
  return {
    add: (fault) => {
      waiting.push({ fault, left: fault.times ?? 1, met: 0 });
    },
    take: (method, channel) => {
      const met = waiting.filter(
        ({ fault, left }) =>
          left > 0 &&
          (fault.method === '*' || fault.method === method) &&
          (fault.channel === undefined || fault.channel === channel),
      );
      for (const one of met) one.met += 1;
      const hit = met.find(({ fault, met: count }) => count % (fault.every ?? 1) === 0);
      if (hit) hit.left -= 1;
      return hit?.fault;
    },
    clear: () => {
      waiting = [];
    },
  };
}
