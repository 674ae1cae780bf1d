/** What the bot's next calls will suffer. 'reset' performs the call and then drops the connection. */
export interface SlackFault {
  /** A method such as 'chat.postMessage', or '*' for all. */
  method: string;
  kind: '429' | '500' | 'reset' | 'hang';
  times?: number;
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
  let waiting: { fault: SlackFault; left: number }[] = [];
  return {
    add: (fault) => {
      waiting.push({ fault, left: fault.times ?? 1 });
    },
    take: (method, channel) => {
      const hit = waiting.find(
        ({ fault, left }) =>
          left > 0 &&
          (fault.method === '*' || fault.method === method) &&
          (fault.channel === undefined || fault.channel === channel),
      );
      if (hit) hit.left -= 1;
      return hit?.fault;
    },
    clear: () => {
      waiting = [];
    },
  };
}
