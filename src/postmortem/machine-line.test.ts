import type { PhrasingContent } from 'mdast';
import { describe, expect, it } from 'vitest';
import { at, names } from './example-record.ts';
import { machineLine } from './machine-line.ts';

const line = (text: string, actor?: string, kind = 'any') =>
  textOf(machineLine({ at: at(1), kind, text, actor }, names));

const textOf = (nodes: readonly PhrasingContent[]): string =>
  nodes
    .map((node) => ('children' in node ? textOf(node.children) : 'value' in node ? node.value : ''))
    .join('');

describe('an entry of the record', () => {
  it.each([
    ['quality-drop fired', undefined, 'Bot: quality-drop fired.'],
    ['Approved: disable the feature.', 'llm-incident', 'Bot: Approved: disable the feature.'],
    ['Approved: disable the feature.', 'U2', '@bo approved: disable the feature.'],
    ['Resolved.', 'U1', '@ana resolved the incident.'],
    ['Contained: by hand.', 'U1', '@ana contained the incident: by hand.'],
    ['Is commander now.', 'U1', '@ana is commander now.'],
    ['joined the room', 'U3', '@cy joined the room.'],
    ['Severity sev2 → sev1.', 'U1', 'Bot: Severity sev2 → sev1 (@ana).'],
    ['Reported from a message by an app: no', 'U1', 'Bot: Reported from a message by an app: no (@ana).'],
    ['It is due. (It was due yesterday.)', undefined, 'Bot: It is due. (It was due yesterday.)'],
    ['Asked product: <@U2>.', undefined, 'Bot: Asked product: @bo.'],
  ])('reads %s as a sentence', (text, actor, expected) => {
    expect(line(text, actor)).toBe(expected);
  });

  it('gives a person’s own words after their name, and never takes them for an act', () => {
    expect(line('Resolved itself, I think', 'U2', 'note')).toBe('@bo noted: Resolved itself, I think.');
    expect(line('Support was quick.', 'U2', 'good')).toBe('@bo noted what went well: Support was quick.');
  });

  it('keeps an address as text, and no personal data', () => {
    const nodes = machineLine(
      { at: at(1), kind: 'note', text: '<https://evil.example|Approve> <b> jane@example.com', actor: 'U1' },
      names,
    );
    expect(JSON.stringify(nodes)).not.toContain('"link"');
    expect(textOf(nodes)).toBe('@ana noted: <https://evil.example|Approve> <b> [email].');
  });
});
