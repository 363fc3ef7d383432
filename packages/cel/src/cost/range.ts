/** Least and most: of a cost, or of a size. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** What CEL counts no further than: the largest unsigned number of 64 bits. */
export const most = 2 ** 64;

const capped = (value: number): number => (value > most ? most : value);

export const exactly = (value: number): Range => ({ min: value, max: value });
export const unknown: Range = { min: 0, max: most };

export const plus = (a: Range, b: Range): Range => ({ min: capped(a.min + b.min), max: capped(a.max + b.max) });

/** Nothing times whatever is nothing. */
const product = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : capped(a * b));

export const times = (a: Range, b: Range): Range => ({ min: product(a.min, b.min), max: product(a.max, b.max) });

/** Rounded up to whole units. */
export const scaled = ({ min, max }: Range, factor: number): Range => ({
  min: capped(Math.ceil(min * factor)),
  max: max >= most ? most : capped(Math.ceil(max * factor)),
});

export const union = (a: Range, b: Range): Range => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) });

export const total = (ranges: readonly Range[]): Range => ranges.reduce(plus, exactly(0));
