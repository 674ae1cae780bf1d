import type { ReceiverEvent } from '@slack/bolt';
import type { Db } from '../db/database.ts';
import { receive, setBack, settle, takeUnfinished } from '../db/inbox-store.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { SlackDelivery } from './delivery.ts';

/** What runs a delivery: Bolt's `processEvent`. */
export interface Processor {
  processEvent(event: ReceiverEvent): Promise<void>;
}

type Ack = ReceiverEvent['ack'];

export interface SlackInbox {
  /** Writes the delivery down first; false when it is here already. Rejects when the database is away. */
  accept(delivery: SlackDelivery): Promise<boolean>;
  /** Runs an accepted delivery and settles its row; a failure is taken up again by `sweep`. */
  run(delivery: SlackDelivery, ack: Ack): Promise<void>;
  /** Takes up what a crash or a failure left unfinished. */
  sweep(): Promise<void>;
  /** Resolves when nothing accepted is running any more. */
  drained(): Promise<void>;
}

const RETRY_MS = 2_000;

/** Sits beneath HTTP and Socket Mode alike: nothing runs before it is written down, nothing runs twice for one key. */
export function createInbox({ db, log, processor }: { db: Db; log: Log; processor: Processor }): SlackInbox {
  const running = new Set<Promise<void>>();

  const run = async (delivery: SlackDelivery, ack: Ack) => {
    try {
      await processor.processEvent({ body: delivery.body, ack });
      await settle(db, delivery.key);
    } catch (thrown) {
      const error = messageOf(thrown);
      log.error(
        { kind: delivery.kind, key: delivery.key, error },
        'delivery failed; it will be taken up again',
      );
      await setBack(db, { key: delivery.key, error, delayMs: RETRY_MS }).catch(() => undefined);
      throw thrown;
    }
  };

  const tracked = (work: Promise<void>) => {
    const kept = work.catch(() => undefined).finally(() => running.delete(kept));
    running.add(kept);
    return work;
  };

  return {
    accept: (delivery) => receive(db, { key: delivery.key, kind: delivery.kind, body: delivery.body }),
    run: (delivery, ack) => tracked(run(delivery, ack)),
    async sweep() {
      const left = await takeUnfinished(db, 20);
      const again = left.map((row) =>
        tracked(run({ ...row, kind: row.kind as SlackDelivery['kind'] }, noAck)),
      );
      await Promise.allSettled(again);
    },
    async drained() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

/** Whoever waited for the answer is gone. */
const noAck: Ack = async () => undefined;
