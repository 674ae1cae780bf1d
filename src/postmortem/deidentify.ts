import { sha256Of } from '../evidence/digest.ts';
import { redact } from '../redaction.ts';

/** A shorter id than this is a word like any other, and replacing it would wreck the text. */
const SHORTEST_ID = 3;
const SLACK_PERSON = /<@[UW][A-Z0-9]{6,}(?:\|[^<>]{0,80})?>/g;
const NAMED_ID =
  /\b((?:user|customer|account|member|client|session)[-_ ]?(?:id|no|number)?["']?\s{0,3}[:=#]\s{0,3}["']?)([\w@.+-]{2,64})/gi;

/** Whose call it was: user and session ids as the service sends them. */
export interface Identified {
  readonly people: readonly string[];
  /** Makes the same person another one in every incident. */
  readonly salt: string;
}

/** Without personal data and secrets, and with a stable stand-in for everyone who is named by an id. */
export function deidentified(text: string, { people, salt }: Identified): string {
  const standIn = (id: string) => `person-${sha256Of(`${salt}:${id}`).slice(0, 8)}`;
  const ids = people.filter((id) => id.length >= SHORTEST_ID).sort((a, b) => b.length - a.length);
  const named = ids.reduce((left, id) => replaceWord(left, id, standIn(id)), text);
  return redact(
    named
      .replace(SLACK_PERSON, (found) => standIn(found))
      .replace(NAMED_ID, (found, label: string, id: string) =>
        id.startsWith('person-') ? found : `${label}${standIn(id)}`,
      ),
  );
}

/** Only where it stands alone: the id "ann" is not in "planned". */
function replaceWord(text: string, word: string, by: string): string {
  const escaped = word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  return text.replace(new RegExp(`(?<![\\p{L}\\p{N}_])${escaped}(?![\\p{L}\\p{N}_])`, 'gu'), by);
}
