import { type Fields, isRecord, list, text } from './slack-shapes.ts';

/** What a person enters: text (a choice by its value, several by commas), or the exact state of the element. */
export type Entry = string | Fields;

const CHOSEN: Record<string, string> = {
  users_select: 'selected_user',
  conversations_select: 'selected_conversation',
  channels_select: 'selected_channel',
  datepicker: 'selected_date',
  timepicker: 'selected_time',
};
const CHOSEN_MANY: Record<string, string> = {
  multi_users_select: 'selected_users',
  multi_conversations_select: 'selected_conversations',
  multi_channels_select: 'selected_channels',
};
const ONE_OPTION = new Set(['static_select', 'radio_buttons', 'external_select', 'overflow']);
const MANY_OPTIONS = new Set(['multi_static_select', 'checkboxes', 'multi_external_select']);

/**
 * The `state.values` that Slack would send for these entries; throws where Slack's own client would not let a person
 * press submit: unknown field, missing required field, a choice that is not offered, text too short or too long.
 */
export function stateValues(blocks: Fields[], entries: Record<string, Entry>): Record<string, Fields> {
  const inputs = blocks.filter((block) => block['type'] === 'input' && isRecord(block['element']));
  const known = new Set(inputs.map((block) => block['block_id']));
  for (const blockId of Object.keys(entries)) {
    if (!known.has(blockId))
      throw new Error(`the modal has no input "${blockId}"; it has ${[...known].join(', ')}`);
  }
  const values: Record<string, Fields> = {};
  for (const block of inputs) {
    const blockId = text(block['block_id']);
    const element = block['element'] as Fields;
    const state = elementState(element, entries[blockId]);
    if (block['optional'] !== true && isEmpty(state)) throw new Error(`the modal requires "${blockId}"`);
    values[blockId] = { [text(element['action_id'])]: state };
  }
  return values;
}

/** The state of one element after an entry, or its initial state. */
export function elementState(element: Fields, entry: Entry | undefined): Fields {
  const type = text(element['type']);
  if (isRecord(entry)) return { type, ...entry };
  if (ONE_OPTION.has(type)) {
    const chosen = entry === undefined || entry === '' ? element['initial_option'] : optionOf(element, entry);
    return { type, selected_option: chosen ?? null };
  }
  if (MANY_OPTIONS.has(type)) {
    const chosen =
      entry === undefined
        ? list(element['initial_options'])
        : words(entry).map((one) => optionOf(element, one));
    return { type, selected_options: chosen };
  }
  const one = CHOSEN[type];
  if (one) return { type, [one]: entry || element[one.replace('selected', 'initial')] || null };
  const many = CHOSEN_MANY[type];
  if (many)
    return {
      type,
      [many]: entry === undefined ? (element[many.replace('selected', 'initial')] ?? []) : words(entry),
    };
  if (type === 'datetimepicker') {
    return { type, selected_date_time: entry ? Number(entry) : (element['initial_date_time'] ?? null) };
  }
  return { type, value: checkedText(element, entry) };
}

/** Every option of a menu, in or out of groups. */
export function optionsOf(element: Fields): Fields[] {
  return [
    ...list(element['options']),
    ...list(element['option_groups']).flatMap((group) => list(group['options'])),
  ];
}

function optionOf(element: Fields, value: string): Fields {
  if (text(element['type']).includes('external')) return { text: { type: 'plain_text', text: value }, value };
  const option = optionsOf(element).find((one) => one['value'] === value);
  if (option) return option;
  const offered = optionsOf(element)
    .map((one) => one['value'])
    .join(', ');
  throw new Error(`"${value}" is not offered by ${text(element['action_id'])}; it offers ${offered}`);
}

function checkedText(element: Fields, entry: string | undefined): string | null {
  const value = entry ?? (typeof element['initial_value'] === 'string' ? element['initial_value'] : null);
  if (value === null || value === '') return null;
  const [min, max] = [Number(element['min_length'] ?? 0), Number(element['max_length'] ?? 3000)];
  if (value.length < min || value.length > max)
    throw new Error(`the text must have ${min} to ${max} characters`);
  return value;
}

function isEmpty(state: Fields): boolean {
  return Object.entries(state).every(
    ([key, value]) =>
      key === 'type' || value === null || value === undefined || (Array.isArray(value) && value.length === 0),
  );
}

function words(entry: string): string[] {
  return entry
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);
}
