const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH = `(?<month>${MONTHS.join('|')})`;
const TIME = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`;
/** RFC 9110 §5.6.7, the form to write and the two obsolete ones that must be read. */
const FORMS = [
  new RegExp(String.raw`^[A-Z][a-z]{2}, (?<day>\d\d) ${MONTH} (?<year>\d{4}) ${TIME} GMT$`),
  new RegExp(String.raw`^[A-Z][a-z]{5,8}, (?<day>\d\d)-${MONTH}-(?<year>\d\d) ${TIME} GMT$`),
  new RegExp(String.raw`^[A-Z][a-z]{2} ${MONTH} (?<day>[ \d]\d) ${TIME} (?<year>\d{4})$`),
];

/** Unix time in milliseconds, whole seconds; undefined for what is no HTTP date, which a recipient must then ignore. */
export function parseHttpDate(text: string): number | undefined {
  for (const form of FORMS) {
    const found = form.exec(text)?.groups;
    if (found) return toTime(found);
  }
  return undefined;
}

function toTime(found: Readonly<Record<string, string>>): number | undefined {
  const { day, month = '', year = '', hour, minute, second } = found;
  const [d, h, m, s] = [Number(day), Number(hour), Number(minute), Number(second)];
  // A leap second is no fault (RFC 9110 §5.6.7)
  if (h > 23 || m > 59 || s > 60) return undefined;
  const time = Date.UTC(fullYear(year), MONTHS.indexOf(month), d, h, m, s);
  return new Date(Date.UTC(fullYear(year), MONTHS.indexOf(month), d)).getUTCDate() === d ? time : undefined;
}

/** Two digits of a year after 69 are of the last century, as the obsolete form was given up before 2000. */
function fullYear(year: string): number {
  if (year.length === 4) return Number(year);
  return Number(year) < 70 ? 2000 + Number(year) : 1900 + Number(year);
}
