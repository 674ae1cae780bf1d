import { messageOf } from '../../errors.ts';
import { createServingReader, type ServedSettings } from './serving-reader.ts';

/** Where the bot serves the settings of a feature over OFREP. */
export interface Master {
  url: string;
  token: string;
  service: string;
  /** Obeyed until the bot has answered. */
  held: ServedSettings;
}

/** Who asks the feature something. */
export interface Asker {
  user: string;
  session: string;
  endpoint: string;
}

/** A feature that obeys what the bot serves, as a real one would: asked again only when something changed. */
export interface Obedience {
  /** Asks whether anything changed since, by the entity tag; why it could not be told, else null. */
  refresh(): Promise<string | null>;
  settingsFor(asker: Asker): Promise<ServedSettings>;
}

/** A simulated minute is not a real one: the application's own deadline would be 200 ms. */
const DEADLINE_MS = 5_000;

export function createObedience(master: Master): Obedience {
  const { url, token } = master;
  const reader = createServingReader({ ...master, deadlineMs: DEADLINE_MS });
  const known = new Map<string, ServedSettings>();
  let tag: string | null = null;
  const ask = async (): Promise<void> => {
    const answer = await fetch(`${url}/ofrep/v1/evaluate/flags`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        ...(tag === null ? {} : { 'if-none-match': tag }),
      },
      body: JSON.stringify({ context: {} }),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    await answer.arrayBuffer();
    if (answer.status === 304) return;
    if (!answer.ok) throw new Error(`the bot answered ${answer.status}`);
    tag = answer.headers.get('etag');
    known.clear();
  };
  return {
    refresh: () =>
      ask().then(
        () => null,
        (thrown: unknown) => messageOf(thrown),
      ),
    async settingsFor({ user, session, endpoint }) {
      const key = JSON.stringify([user, session, endpoint]);
      const found = known.get(key);
      if (found !== undefined) return found;
      const context = { targetingKey: user, user, session, endpoint };
      const { settings, problem } = await reader.read(context);
      if (problem === undefined) known.set(key, settings);
      return settings;
    },
  };
}
