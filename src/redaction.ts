// Longer than the budget: one list of rules, each with its policy, that is read and reviewed as one.
import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js';
import validator from 'validator';

/** What a redaction found. The placeholder left in the text is the kind in square brackets. */
export type SensitiveKind = 'email' | 'phone' | 'card' | 'iban' | 'id' | 'key';

/** Gives what stands in the text for a confirmed value: its placeholder, or the value itself where it may stay. */
type Hide = (value: string) => string;

/** A match that comes back unchanged was not confirmed. */
interface Rule {
  readonly kind: SensitiveKind;
  /** Found wherever the rule can find something, and quickly not found elsewhere. */
  readonly hint: RegExp;
  readonly pattern: RegExp;
  readonly rewrite: (match: string, groups: readonly (string | undefined)[], hide: Hide) => string;
}

// Every pattern is linear: bounded repeats, or runs that can only start at their own boundary. None nests an
// unbounded repeat, so no text can make one slow. Names and postal addresses are not looked for.
const whole: Rule['rewrite'] = (match, _, hide) => hide(match);
const digitsIn = (text: string) => text.replace(/\D/g, '');
const hasDigit = (text: string) => /\d/.test(text);

/** Tries the candidate, then the candidate without its last group, so that a following word survives. */
function longestConfirmed(candidate: string, hide: Hide, confirm: (part: string) => boolean): string {
  let end = candidate.length;
  for (let tries = 0; tries < 10 && end > 0; tries += 1) {
    const part = candidate.slice(0, end);
    if (confirm(part)) return `${hide(part)}${candidate.slice(end)}`;
    end = part.search(/[ ./-]+[^ ./-]*$/);
  }
  return candidate;
}

// A private key is everything between its markers; a cut one is everything that still looks like its body.
const privateKey: Rule = {
  kind: 'key',
  hint: /PRIVATE KEY-----/,
  pattern: new RegExp(
    '-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:[A-Za-z0-9+/=\\s:,\\\\]|-(?!-))*' +
      '(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?',
    'g',
  ),
  rewrite: whole,
};

// Whatever stands before the host in an address is a credential, except the `git` of a clone address.
const addressCredential: Rule = {
  kind: 'key',
  hint: /:\/\//,
  pattern: /(?<=:\/\/)(?!git@|\[key\]@)[^\s/@<>|"']{1,300}(?=@[\w[])/g,
  rewrite: whole,
};

// A token with a vendor's own prefix is a key wherever it stands.
const vendorKey: Rule = {
  kind: 'key',
  hint: /[-_.][\w-]{10}|A[KS]IA|AIza|eyJ|hooks/,
  pattern: new RegExp(
    `(?<![\\w-])(?:${[
      'sk-[\\w-]{16,}',
      '(?:pk-lf|gsk|lsv2_(?:pt|sk)|sl|dckr_pat|pul|dapi)[-_][\\w-]{20,}',
      '(?:sk|rk|pk)_(?:live|test)_\\w{10,}',
      'whsec_[\\w+/=]{16,}',
      'xox[a-z](?:\\.xox[a-z])?-[\\w-]{10,}',
      'xapp-\\d-[\\w-]{10,}',
      '(?:AKIA|ASIA)[0-9A-Z]{16}(?![\\w])',
      'gh[pousr]_\\w{20,}',
      'github_pat_\\w{20,}',
      'AIza[\\w-]{30,}',
      'ya29\\.[\\w-]{20,}',
      'gl(?:pat|dt|rt|soat|ptt)-[\\w.-]{16,}',
      '(?:npm|hf|dop_v1|doo_v1|shpat|shpss)_\\w{20,}',
      'pypi-[\\w-]{20,}',
      'SG\\.[\\w-]{16,}\\.[\\w-]{16,}',
      'eyJ[\\w-]{8,}\\.[\\w-]{8,}(?:\\.[\\w-]+)?',
      'hooks\\.slack\\.com/(?:services|workflows|triggers)/[\\w/]{20,}',
    ].join('|')})`,
    'g',
  ),
  rewrite: (match, _, hide) => (hasDigit(match) || /[a-z][A-Z]/.test(match) ? hide(match) : match),
};

// A credential in an Authorization header or after "Bearer" or "Basic" is a key when it holds a digit.
const headerCredential: Rule = {
  kind: 'key',
  hint: /bearer|basic|authorization/i,
  pattern: new RegExp(
    '(?<![A-Za-z])((?:bearer|basic)\\s{1,3}|authorization["\']?\\s?[:=]\\s?["\']?(?:token\\s)?)' +
      '([\\w.~+/=-]{14,})',
    'gi',
  ),
  rewrite: (match, [label = '', value = ''], hide) => (hasDigit(value) ? `${label}${hide(value)}` : match),
};

const assignmentLabel =
  'pass(?:word|wd|phrase|code)|pwd|secret' +
  '|(?:api|access|secret|private|account|shared|encryption|signing|master|subscription)' +
  '[_ -]?(?:access)?[_ -]?key' +
  '|token|credentials?';
const notAValue =
  /^(?:none|null|nil|true|false|undefined|str(?:ing)?|[a-z_.-]*(?:pass|pwd|secret|key|token)[a-z_.-]*)$/i;

// What is assigned to a name that means a credential is a key, unless it reads like code or prose.
const assignment: Rule = {
  kind: 'key',
  hint: /pass|pwd|secret|key|token|credential/i,
  pattern: new RegExp(
    `(${assignmentLabel})(["']?\\s{0,3}[=:]\\s{0,3})` +
      `("[^"\\n]{4,300}"|'[^'\\n]{4,300}'|[^\\s"'\`,;&<>|(){}[\\]]{4,300})`,
    'gi',
  ),
  rewrite: (match, [label = '', separator = '', value = ''], hide) => {
    const quote = /^["']/.exec(value)?.[0] ?? '';
    const bare = quote ? value.slice(1, -1) : value;
    const secretive = /pass|pwd|secret/i.test(label);
    const tight = quote !== '' || separator === '=';
    const longEnough = bare.length >= (tight ? (secretive ? 4 : 6) : secretive ? 6 : 12);
    const plausible = hasDigit(bare) || (tight && secretive && !/\s/.test(bare) && !notAValue.test(bare));
    const placeholder = /\[key\]/.test(bare);
    return longEnough && plausible && !placeholder
      ? `${label}${separator}${quote}${hide(bare)}${quote}`
      : match;
  },
};

// "The password is …" gives a password away when what follows holds a digit.
const spokenPassword: Rule = {
  kind: 'key',
  hint: /\sis:?\s/i,
  pattern: /((?:pass(?:word|code|phrase)|(?<![A-Za-z])pin)\sis:?\s["']?)([^\s"'`,;<>|()[\]]{4,100})/gi,
  rewrite: (match, [label = '', value = ''], hide) => (hasDigit(value) ? `${label}${hide(value)}` : match),
};

// An e-mail address is one that validator accepts, also when its @ is percent-encoded.
const email: Rule = {
  kind: 'email',
  hint: /@|%40/,
  pattern: new RegExp(
    "(?<![\\p{L}\\p{N}_])[\\p{L}\\p{N}_][\\p{L}\\p{N}_.+'-]{0,63}(?:@|%40)" +
      '[\\p{L}\\p{N}](?:[\\p{L}\\p{N}-]{0,62}\\.){1,8}\\p{L}[\\p{L}\\p{N}-]{1,23}',
    'gu',
  ),
  rewrite: (match, _, hide) =>
    longestConfirmed(match, hide, (part) => validator.isEmail(part.replace('%40', '@').replace(/-$/, ''))),
};

// "name (at) host (dot) com" is an e-mail address when at least its at sign is bracketed.
const disguisedEmail: Rule = {
  kind: 'email',
  hint: /[[({<]\s?at\s?[\])}>]/i,
  pattern: new RegExp(
    '(?<![\\w.+-])[\\w.+-]{1,64}\\s?[[({<]\\s?at\\s?[\\])}>]\\s?[\\w-]{1,63}' +
      '(?:\\s?(?:[[({<]\\s?dot\\s?[\\])}>]|\\.)\\s?[\\w-]{2,24}){1,4}',
    'gi',
  ),
  rewrite: whole,
};

// An IBAN is one whose country, length and checksum validator confirms.
const iban: Rule = {
  kind: 'iban',
  hint: /[A-Za-z]{2}\d{2}/,
  pattern: /(?<![A-Za-z0-9])[A-Z]{2}\d{2}[ -]?(?:[A-Z0-9]{4}[ -]?){2,7}[A-Z0-9]{0,4}/gi,
  rewrite: (match, _, hide) =>
    longestConfirmed(match, hide, (part) => validator.isIBAN(part.replace(/[ -]/g, ''))),
};

// A card number is 13 to 19 digits, in one to five groups, that pass the issuer's prefix and the Luhn check.
const card: Rule = {
  kind: 'card',
  hint: /\d[\d .\u00a0-]{12}/,
  pattern: /(?<![\w.+])\d(?:[ .\u00a0-]?\d){12,}/g,
  rewrite: (chain, _, hide) => {
    const parts = chain.split(/([ .\u00a0-])/);
    const out: string[] = [];
    for (let at = 0; at < parts.length; ) {
      const size = cardAt(parts, at);
      const whole = parts.slice(at, at + (size || 1)).join('');
      out.push(size > 0 ? hide(whole) : whole, parts[at + (size || 1)] ?? '');
      at += (size || 1) + 1;
    }
    return out.join('');
  },
};

/** How many parts (groups and the separators between them) from `at` are one card number; 0 for none. */
function cardAt(parts: readonly string[], at: number): number {
  for (let groups = 5; groups >= 1; groups -= 1) {
    const window = parts.slice(at, at + groups * 2 - 1);
    const each = window.filter((_, index) => index % 2 === 0);
    const number = each.join('');
    if (number.length < 13 || number.length > 19 || each.some((group) => group.length < 3)) continue;
    if (validator.isCreditCard(number)) return window.length;
  }
  return 0;
}

// Three, two and four digits with hyphens are a US social security number; a UK one has its own letters.
const nationalId: Rule = {
  kind: 'id',
  hint: /\d-\d{2}-\d|[A-Z]{2} ?\d{2} ?\d/,
  pattern: new RegExp(
    '(?<![\\w-])(?:(?!000)\\d{3}-(?!00)\\d{2}-(?!0000)\\d{4}' +
      '|[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\\d\\d ?\\d\\d ?\\d\\d ?[A-D])(?![\\w-])',
    'g',
  ),
  rewrite: whole,
};

const idLabel =
  "ssn|social security|passport|driver'?s?'? licen[cs]e|driving licen[cs]e|national id(?:entity)?" +
  '|id(?:entity)? card|national insurance|nino|nhs|aadhaa?r|tax(?:payer)? id(?:entification)?|itin|ein' +
  '|cpf|curp|dni|bsn|codice fiscale|medicare|medicaid|mrn|medical record|patient id|health insurance' +
  '|insurance policy|(?:bank )?(?:account|acct)|routing|sort code|visa';

// What may stand between a label and its value.
const says = '["\']?\\s{0,3}(?:is|was|at|[:=#-])?\\s{0,3}';

// A number named as a person's document, record or bank account is theirs when it has five digits or more.
const labelledId: Rule = {
  kind: 'id',
  hint: /\d(?:[A-Za-z ./-]{0,25}\d){4}/,
  pattern: new RegExp(
    `(?<![A-Za-z])((?:${idLabel})(?:[ _-]?(?:number|num|no\\.?|nr\\.?|#))?${says}["']?)` +
      '((?:[A-Z]{1,3}[ -]?)?[A-Z0-9]{0,12}\\d[A-Z0-9]{0,12}' +
      '(?:[ ./-][A-Z0-9]{0,12}\\d[A-Z0-9]{0,12}){0,4})(?![A-Z0-9])',
    'gi',
  ),
  rewrite: (match, [label = '', value = ''], hide) =>
    digitsIn(value).length >= 5 ? `${label}${hide(value)}` : match,
};

// A date named as a date of birth identifies a person.
const birthDate: Rule = {
  kind: 'id',
  hint: /birth|d\.?o\.?b/i,
  pattern: new RegExp(
    `(?<![A-Za-z])((?:d\\.?o\\.?b\\.?|date[ _-]of[ _-]birth|birth[ _-]?date)${says}["']?)` +
      '(?:\\d{1,4}[-/. ]\\d{1,2}[-/. ]\\d{1,4}|\\d{1,2}(?:st|nd|rd|th)?\\s[a-z]{3,9},?\\s\\d{4}' +
      '|[a-z]{3,9}\\s\\d{1,2}(?:st|nd|rd|th)?,?\\s\\d{4})',
    'gi',
  ),
  rewrite: (match, [label = ''], hide) => `${label}${hide(match.slice(label.length))}`,
};

// An address of the network is a person's only when it is named as one and is not a private range or a mask.
const networkAddress: Rule = {
  kind: 'id',
  hint: /ip|forwarded/i,
  pattern: new RegExp(
    `(?<![A-Za-z])((?:(?:[a-z]{2,10}[ _-]?)?ip(?:v[46])?(?:[ _-]?addr(?:ess)?)?|forwarded-for)${says}["']?)` +
      '([0-9a-f][0-9a-f:.]{6,45})',
    'gi',
  ),
  rewrite: (match, [label = '', value = ''], hide) => {
    const ip = value.replace(/[.:]$/, '');
    const nobody = /^(?:10|127|0|255|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01])|22[4-9]|2[34]\d)\./.test(ip);
    return validator.isIP(ip) && !nobody ? `${label}${hide(ip)}${value.slice(ip.length)}` : match;
  },
};

const trunkCountries: readonly CountryCode[] = ['GB', 'DE', 'FR', 'IT', 'NL', 'CH', 'AU', 'JP', 'IN'];

// A number with + or 00 is a phone number when its country could have issued one of that length.
const internationalPhone: Rule = {
  kind: 'phone',
  hint: /\+|00/,
  pattern: /(?<![\w+.])(?:\+|00(?=[1-9]))\(?\d[\d ().\u00a0/-]{5,22}\d(?!\d)/g,
  rewrite: (match, _, hide) =>
    longestConfirmed(match, hide, (part) => {
      return parsePhoneNumberFromString(part.replace(/^00/, '+'))?.isPossible() ?? false;
    }),
};

// Without a country code only the grouping makes a phone number: 3-3-4, or a leading 0 that a country knows.
const nationalPhone: Rule = {
  kind: 'phone',
  hint: /[\d)][ .-]\d{2}/,
  pattern: new RegExp(
    '(?<![\\w.+/-])(?:1[ .-])?(?:\\([2-9]\\d{2}\\) ?|[2-9]\\d{2}[ .-])\\d{3}[ .-]\\d{4}(?!\\w|[.-]\\d)' +
      '|(?<![\\w.+/-])\\(?0\\d{1,4}\\)?(?:[ .-]\\d{2,8}){1,5}(?!\\w)',
    'g',
  ),
  rewrite: (match, _, hide) => {
    const american = !/^\(?0/.test(match);
    if (american) return parsePhoneNumberFromString(match, 'US')?.isPossible() ? hide(match) : match;
    const valid = (part: string) =>
      digitsIn(part).length >= 9 &&
      trunkCountries.some((country) => parsePhoneNumberFromString(part, country)?.isValid() ?? false);
    return longestConfirmed(match, hide, valid);
  },
};

// Seven to fifteen digits named as a phone number are one.
const labelledPhone: Rule = {
  kind: 'phone',
  hint: /\d[\d ().-]{6}/,
  pattern: new RegExp(
    '(?<![A-Za-z])((?:(?:tele|cell)?phone|tel\\.?|mobile|cell|fax|whatsapp|sms|contact' +
      '|(?:call|text|reach)(?: me| us)?(?: at| on)?)' +
      `(?:[ _-]?(?:number|num|no\\.?|nr\\.?|#))?${says}["']?)(\\(?\\d[\\d ().-]{5,20}\\d)(?!\\w)`,
    'gi',
  ),
  rewrite: (match, [label = '', value = ''], hide) => {
    const digits = digitsIn(value).length;
    return digits >= 7 && digits <= 15 ? `${label}${hide(value)}` : match;
  },
};

const rules: readonly Rule[] = [
  privateKey,
  addressCredential,
  vendorKey,
  headerCredential,
  assignment,
  spokenPassword,
  email,
  disguisedEmail,
  iban,
  card,
  nationalId,
  labelledId,
  birthDate,
  networkAddress,
  internationalPhone,
  nationalPhone,
  labelledPhone,
];

/** A value that was found, as it stood in the text. Never to be stored, shown or logged. */
export interface SensitiveValue {
  kind: SensitiveKind;
  value: string;
}

type IsKept = (found: SensitiveValue) => boolean;

// No rule takes anything out of a text without a digit, an at sign, an assignment or the look of a key.
const anything = /[0-9@=:%]|[-_.][\w-]{10}|-----|AIza|eyJ|hooks|[[({<]\s?at\s?[\])}>]/i;

function sweep(text: string, isKept: IsKept, found: SensitiveValue[]): string {
  if (!anything.test(text)) return text;
  let swept = text;
  for (const { kind, hint, pattern, rewrite } of rules) {
    if (!hint.test(swept)) continue;
    const hide: Hide = (value) => {
      if (isKept({ kind, value })) return value;
      found.push({ kind, value });
      return `[${kind}]`;
    };
    swept = swept.replace(pattern, (match: string, ...rest: unknown[]) => {
      const groups = rest.slice(
        0,
        rest.findIndex((value) => typeof value === 'number'),
      ) as string[];
      return rewrite(match, groups, hide);
    });
  }
  return swept;
}

/** The text without its personal data and credentials, except those that `isKept` lets stay, and what was taken. */
export function redactExcept(text: string, isKept: IsKept): { text: string; found: SensitiveValue[] } {
  const found: SensitiveValue[] = [];
  let before = text;
  let after = sweep(text, isKept, found);
  // A placeholder can uncover a neighbour, so sweep until nothing moves; two sweeps are the rule.
  for (let sweeps = 1; after !== before && sweeps < 10; sweeps += 1) {
    before = after;
    after = sweep(before, isKept, found);
  }
  return { text: after, found };
}

const keepNone = () => false;

/**
 * Replaces personal data and credentials by `[email]`, `[phone]`, `[card]`, `[iban]`, `[id]` or `[key]`.
 * Linear in the length of `text`, and idempotent: a redacted text comes back as it is.
 */
export function redact(text: string): string {
  return redactExcept(text, keepNone).text;
}

/** The kinds of personal data and credentials in `text`; empty when `redact` would change nothing. */
export function sensitiveKinds(text: string): ReadonlySet<SensitiveKind> {
  const found: SensitiveValue[] = [];
  sweep(text, keepNone, found);
  return new Set(found.map(({ kind }) => kind));
}
