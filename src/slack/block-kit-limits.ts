import {
  checkCount,
  checkElement,
  checkImage,
  checkOptional,
  checkString,
  checkText,
  ELEMENTS_ALLOWED,
  type Fields,
  isRecord,
  list,
  type Report,
  under,
} from './block-kit-elements.ts';

/** Where blocks are shown; the limits differ. */
export type Surface = 'message' | 'modal' | 'home';

type At = { pointer: string; report: Report };
type BlockCheck = (block: Fields, at: At) => void;

const MAX_BLOCKS: Record<Surface, number> = { message: 50, modal: 100, home: 100 };
const MAX_MARKDOWN = 12_000;
const MAX_VIEW_BYTES = 250 * 1024;
const MESSAGE_ONLY = new Set(['markdown', 'table', 'context_actions', 'card', 'carousel']);

const CHECKS: Record<string, BlockCheck> = {
  section: checkSection,
  header: (block, at) => checkText(block['text'], { max: 150, plainOnly: true }, under(at, 'text')),
  divider: () => undefined,
  actions: (block, at) => checkElements(block, { kind: 'actions', max: 25, at }),
  context_actions: (block, at) => checkElements(block, { kind: 'context_actions', max: 5, at }),
  context: checkContext,
  input: checkInput,
  image: (block, at) => {
    checkImage(block, at);
    checkText(block['title'], { max: 2000, plainOnly: true, required: false }, under(at, 'title'));
  },
  markdown: (block, at) => checkString(block['text'], MAX_MARKDOWN, under(at, 'text')),
  video: checkVideo,
  table: checkTable,
  rich_text: (block, at) => {
    if (!Array.isArray(block['elements'])) at.report(`${at.pointer}/elements`, 'missing required field');
  },
  card: checkCard,
  carousel: (block, at) => {
    checkCount(list(block['elements']), { min: 1, max: 10, ...under(at, 'elements') });
  },
};

/**
 * Everything Slack would refuse in these blocks, each as "[ERROR] what [json-pointer:where]"; empty when it would
 * accept them.
 */
export function blockKitProblems(blocks: unknown, surface: Surface, root = '/blocks'): string[] {
  const problems: string[] = [];
  const report: Report = (pointer, problem) => problems.push(`[ERROR] ${problem} [json-pointer:${pointer}]`);
  if (!Array.isArray(blocks)) {
    report(root, 'must be a valid array');
    return problems;
  }
  if (blocks.length > MAX_BLOCKS[surface]) report(root, `no more than ${MAX_BLOCKS[surface]} items allowed`);
  blocks.forEach((block, index) => checkBlock(block, surface, { pointer: `${root}/${index}`, report }));
  checkWhole(blocks.filter(isRecord), { pointer: root, report });
  return problems;
}

/** Everything Slack would refuse in this modal or home view, in the same words. */
export function viewProblems(view: unknown): string[] {
  const problems: string[] = [];
  const report: Report = (pointer, problem) => problems.push(`[ERROR] ${problem} [json-pointer:${pointer}]`);
  const at = { pointer: '/view', report };
  if (!isRecord(view)) return ['[ERROR] must provide an object [json-pointer:/view]'];
  const type = view['type'];
  if (type !== 'modal' && type !== 'home') {
    report('/view/type', 'unsupported view type');
    return problems;
  }
  if (type === 'modal') checkModal(view, at);
  checkOptional(view, 'private_metadata', { ...at, max: 3000 });
  checkOptional(view, 'callback_id', { ...at, max: 255 });
  checkOptional(view, 'external_id', { ...at, max: 255 });
  if (Buffer.byteLength(JSON.stringify(view)) > MAX_VIEW_BYTES) report('/view', 'view is larger than 250 KB');
  return [...problems, ...blockKitProblems(view['blocks'], type, '/view/blocks')];
}

function checkModal(view: Fields, at: At): void {
  checkText(view['title'], { max: 24, plainOnly: true }, under(at, 'title'));
  checkText(view['submit'], { max: 24, plainOnly: true, required: false }, under(at, 'submit'));
  checkText(view['close'], { max: 24, plainOnly: true, required: false }, under(at, 'close'));
  const asks = list(view['blocks']).some((block) => block['type'] === 'input');
  if (asks && !view['submit'])
    at.report('/view/submit', 'missing required field: a modal with inputs needs submit');
}

function checkBlock(block: unknown, surface: Surface, at: At): void {
  if (!isRecord(block)) return at.report(at.pointer, 'must provide an object');
  const type = String(block['type']);
  const check = Object.hasOwn(CHECKS, type) ? CHECKS[type] : undefined;
  if (!check || (surface !== 'message' && MESSAGE_ONLY.has(type))) {
    return at.report(`${at.pointer}/type`, `unsupported block type: ${type}`);
  }
  checkOptional(block, 'block_id', { ...at, max: 255 });
  check(block, at);
  checkActionIds(block, at);
}

function checkSection(block: Fields, at: At): void {
  const fields = block['fields'];
  if (block['text'] === undefined && fields === undefined) {
    return at.report(at.pointer, 'section needs text or fields');
  }
  checkText(block['text'], { max: 3000, required: false }, under(at, 'text'));
  if (fields !== undefined) {
    checkCount(list(fields), { min: 1, max: 10, ...under(at, 'fields') });
    list(fields).forEach((field, index) => checkText(field, { max: 2000 }, under(at, `fields/${index}`)));
  }
  if (block['accessory'] !== undefined) {
    checkElement(block['accessory'], ELEMENTS_ALLOWED.accessory, under(at, 'accessory'));
  }
}

function checkElements(
  block: Fields,
  rule: { kind: 'actions' | 'context_actions'; max: number; at: At },
): void {
  const elements = list(block['elements']);
  checkCount(elements, { min: 1, max: rule.max, ...under(rule.at, 'elements') });
  elements.forEach((element, index) => {
    checkElement(element, ELEMENTS_ALLOWED[rule.kind], under(rule.at, `elements/${index}`));
  });
}

function checkContext(block: Fields, at: At): void {
  const elements = list(block['elements']);
  checkCount(elements, { min: 1, max: 10, ...under(at, 'elements') });
  elements.forEach((element, index) => {
    const here = under(at, `elements/${index}`);
    if (element['type'] === 'image') checkImage(element, here);
    else checkText(element, { max: 3000 }, here);
  });
}

function checkInput(block: Fields, at: At): void {
  checkText(block['label'], { max: 2000, plainOnly: true }, under(at, 'label'));
  checkText(block['hint'], { max: 2000, plainOnly: true, required: false }, under(at, 'hint'));
  checkElement(block['element'], ELEMENTS_ALLOWED.input, under(at, 'element'));
}

function checkVideo(block: Fields, at: At): void {
  checkText(block['title'], { max: 200, plainOnly: true }, under(at, 'title'));
  checkOptional(block, 'author_name', { ...at, max: 50 });
  for (const key of ['alt_text', 'thumbnail_url', 'video_url']) checkString(block[key], 3000, under(at, key));
}

function checkTable(block: Fields, at: At): void {
  const rows = Array.isArray(block['rows']) ? block['rows'] : [];
  checkCount(rows, { min: 1, max: 100, ...under(at, 'rows') });
  rows.forEach((row, index) => {
    checkCount(Array.isArray(row) ? row : [], { min: 1, max: 20, ...under(at, `rows/${index}`) });
  });
  checkCount(list(block['column_settings']), { min: 0, max: 20, ...under(at, 'column_settings') });
}

function checkCard(block: Fields, at: At): void {
  for (const [key, max] of [
    ['title', 150],
    ['subtitle', 150],
    ['body', 200],
  ] as const) {
    checkText(block[key], { max, required: false }, under(at, key));
  }
}

// An action_id must be unique within its block: Slack could not tell two of the same apart.
function checkActionIds(block: Fields, at: At): void {
  const ids = list(block['elements'])
    .map((element) => element['action_id'])
    .filter((id) => id !== undefined);
  if (new Set(ids).size < ids.length) at.report(`${at.pointer}/elements`, '`action_id` already exists');
}

function checkWhole(blocks: Fields[], at: At): void {
  const ids = blocks.map((block) => block['block_id']).filter((id) => id !== undefined);
  if (new Set(ids).size < ids.length) at.report(at.pointer, '`block_id` already exists');
  const markdown = blocks.filter((block) => block['type'] === 'markdown');
  const total = markdown.reduce((sum, block) => sum + String(block['text']).length, 0);
  if (markdown.length > 1 && total > MAX_MARKDOWN)
    at.report(at.pointer, 'markdown blocks exceed 12000 characters');
  if (blocks.filter((block) => block['type'] === 'table').length > 1)
    at.report(at.pointer, 'only one table allowed');
}
