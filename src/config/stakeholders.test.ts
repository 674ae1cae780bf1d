import { expect, it } from 'vitest';
import { contacts, signOffWarnings } from './stakeholders.ts';

const shown = (people: object, services: Record<string, { target?: unknown }> = { a: { target: {} } }) =>
  signOffWarnings({ contacts: contacts.parse(people), safety_sign_offs: ['owner', 'legal'], services });

it('names who must sign off for safety where nobody is named', () => {
  expect(shown({})).toEqual([
    'contacts.legal is empty and safety_sign_offs needs one of them: nobody can set back on what a safety incident takes away',
  ]);
  expect(shown({ legal: ['U0LEGAL'] })).toEqual([]);
});

it('says nothing where no service has a target', () => {
  expect(shown({}, { a: {} })).toEqual([]);
});
