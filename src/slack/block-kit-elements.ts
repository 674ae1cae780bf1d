/** Anything that came as JSON; narrowed where it is used. */
export type Fields = Record<string, unknown>;

/** Narrows to a plain object. */
export function isRecord(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** The objects of an array, or nothing. */
export function list(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** Receives one problem: where (a JSON pointer) and what is wrong, in Slack's own wording. */
export type Report = (pointer: string, problem: string) => void;

interface TextLimits {
  max: number;
  plainOnly?: boolean;
  required?: boolean;
}

const OPTION_LISTS: Record<string, number> = {
  static_select: 100,
  multi_static_select: 100,
  overflow: 5,
  checkboxes: 10,
  radio_buttons: 10,
};
const MENUS = ['static_select', 'external_select', 'users_select', 'conversations_select', 'channels_select'];
const MULTI_MENUS = MENUS.map((menu) => `multi_${menu}`);
const PICKERS = ['datepicker', 'datetimepicker', 'timepicker', 'checkboxes', 'radio_buttons'];
const TEXT_INPUTS = [
  'plain_text_input',
  'number_input',
  'email_text_input',
  'url_text_input',
  'rich_text_input',
  'file_input',
];

/** Which elements Slack takes in which place. */
export const ELEMENTS_ALLOWED = {
  actions: new Set(['button', 'overflow', 'workflow_button', ...MENUS, ...PICKERS]),
  accessory: new Set([
    'button',
    'overflow',
    'workflow_button',
    'image',
    ...MENUS,
    ...MULTI_MENUS,
    ...PICKERS,
  ]),
  input: new Set([...MENUS, ...MULTI_MENUS, ...PICKERS, ...TEXT_INPUTS]),
  context_actions: new Set(['feedback_buttons', 'icon_button']),
} as const;

/** Reports a string that is missing, empty or longer than `max`. */
export function checkString(value: unknown, max: number, at: { pointer: string; report: Report }): void {
  if (typeof value !== 'string') at.report(at.pointer, 'must be a string');
  else if (value.length > max) at.report(at.pointer, `must be less than ${max + 1} characters`);
}

/** Reports a text object that Slack would refuse. */
export function checkText(value: unknown, limits: TextLimits, at: { pointer: string; report: Report }): void {
  if (value === undefined || value === null) {
    if (limits.required !== false) at.report(at.pointer, 'missing required field');
    return;
  }
  if (!isRecord(value)) return at.report(at.pointer, 'must provide an object');
  const allowed = limits.plainOnly ? ['plain_text'] : ['plain_text', 'mrkdwn'];
  if (!allowed.includes(String(value['type']))) at.report(`${at.pointer}/type`, 'unsupported text type');
  const text = value['text'];
  if (typeof text === 'string' && text.length === 0) {
    at.report(`${at.pointer}/text`, 'must be more than 0 characters');
  } else {
    checkString(text, limits.max, { pointer: `${at.pointer}/text`, report: at.report });
  }
}

/** Reports an optional plain string that is too long. */
export function checkOptional(
  owner: Fields,
  key: string,
  at: { max: number; pointer: string; report: Report },
): void {
  if (owner[key] === undefined || owner[key] === null) return;
  checkString(owner[key], at.max, { pointer: `${at.pointer}/${key}`, report: at.report });
}

/** Reports everything wrong with one interactive element (button, menu, picker, input). */
export function checkElement(
  element: unknown,
  allowed: ReadonlySet<string>,
  at: { pointer: string; report: Report },
): void {
  if (!isRecord(element)) return at.report(at.pointer, 'must provide an object');
  const type = String(element['type']);
  if (!allowed.has(type)) return at.report(`${at.pointer}/type`, `unsupported element type: ${type}`);
  checkOptional(element, 'action_id', { ...at, max: 255 });
  checkText(element['placeholder'], { max: 150, plainOnly: true, required: false }, under(at, 'placeholder'));
  if (element['confirm'] !== undefined) checkConfirm(element['confirm'], under(at, 'confirm'));
  if (type === 'button') checkButton(element, at);
  if (type === 'image') checkImage(element, at);
  if (type === 'plain_text_input') checkTextInput(element, at);
  if (OPTION_LISTS[type] !== undefined) checkOptions(element, OPTION_LISTS[type], at);
}

/** Reports an image (block or element) without a source or without its text alternative. */
export function checkImage(image: Fields, at: { pointer: string; report: Report }): void {
  if (image['image_url'] === undefined && image['slack_file'] === undefined) {
    at.report(`${at.pointer}/image_url`, 'missing required field');
  }
  checkOptional(image, 'image_url', { ...at, max: 3000 });
  checkString(image['alt_text'], 2000, under(at, 'alt_text'));
}

function checkButton(button: Fields, at: { pointer: string; report: Report }): void {
  checkText(button['text'], { max: 75, plainOnly: true }, under(at, 'text'));
  checkOptional(button, 'value', { ...at, max: 2000 });
  checkOptional(button, 'url', { ...at, max: 3000 });
  checkOptional(button, 'accessibility_label', { ...at, max: 75 });
  const style = button['style'];
  if (style !== undefined && style !== 'primary' && style !== 'danger') {
    at.report(`${at.pointer}/style`, 'must be a valid enum value');
  }
}

function checkTextInput(input: Fields, at: { pointer: string; report: Report }): void {
  checkOptional(input, 'initial_value', { ...at, max: 3000 });
  for (const key of ['min_length', 'max_length']) {
    const bound = input[key];
    const least = key === 'max_length' ? 1 : 0;
    if (bound === undefined) continue;
    if (!Number.isInteger(bound) || Number(bound) > 3000 || Number(bound) < least) {
      at.report(`${at.pointer}/${key}`, `must be between ${least} and 3000`);
    }
  }
}

function checkConfirm(confirm: unknown, at: { pointer: string; report: Report }): void {
  if (!isRecord(confirm)) return at.report(at.pointer, 'must provide an object');
  checkText(confirm['title'], { max: 100, plainOnly: true }, under(at, 'title'));
  checkText(confirm['text'], { max: 300 }, under(at, 'text'));
  checkText(confirm['confirm'], { max: 30, plainOnly: true }, under(at, 'confirm'));
  checkText(confirm['deny'], { max: 30, plainOnly: true }, under(at, 'deny'));
}

function checkOptions(element: Fields, max: number, at: { pointer: string; report: Report }): void {
  const groups = list(element['option_groups']);
  if (element['option_groups'] !== undefined) {
    checkCount(groups, { min: 1, max: 100, ...under(at, 'option_groups') });
    groups.forEach((group, index) => {
      const inside = under(at, `option_groups/${index}`);
      checkText(group['label'], { max: 75, plainOnly: true }, under(inside, 'label'));
      checkCount(list(group['options']), { min: 1, max, ...under(inside, 'options') });
    });
  } else {
    checkCount(list(element['options']), { min: 1, max, ...under(at, 'options') });
  }
  const options = [...list(element['options']), ...groups.flatMap((group) => list(group['options']))];
  const marksAllowed = element['type'] === 'checkboxes' || element['type'] === 'radio_buttons';
  options.forEach((option, index) => checkOption(option, !marksAllowed, under(at, `options/${index}`)));
  checkInitial(element, options, at);
}

function checkOption(option: Fields, plainOnly: boolean, at: { pointer: string; report: Report }): void {
  checkText(option['text'], { max: 75, plainOnly }, under(at, 'text'));
  checkText(option['description'], { max: 75, plainOnly, required: false }, under(at, 'description'));
  checkString(option['value'], 150, under(at, 'value'));
}

// Slack refuses a preset choice that is not, word for word, one of the choices.
function checkInitial(element: Fields, options: Fields[], at: { pointer: string; report: Report }): void {
  const known = new Set(options.map((option) => option['value']));
  const one = element['initial_option'];
  const chosen = [...(isRecord(one) ? [one] : []), ...list(element['initial_options'])];
  if (chosen.some((option) => !known.has(option['value']))) {
    at.report(at.pointer, 'initial option must be one of the options');
  }
}

/** Reports a list that is too short or too long. */
export function checkCount(
  items: unknown[],
  at: { min: number; max: number; pointer: string; report: Report },
): void {
  if (items.length > at.max) at.report(at.pointer, `no more than ${at.max} items allowed`);
  if (items.length < at.min) at.report(at.pointer, `must have at least ${at.min} items`);
}

/** The same reporter, one step further down the document. */
export function under(
  at: { pointer: string; report: Report },
  step: string,
): { pointer: string; report: Report } {
  return { pointer: `${at.pointer}/${step}`, report: at.report };
}
