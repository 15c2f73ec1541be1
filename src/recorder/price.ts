/** US dollars for one recorded configuration item, continuous recording; to be checked against AWS's price list. */
const USD_PER_ITEM = 0.003;
const DAYS_PER_MONTH = 30;

export interface PriceEstimate {
  usdPerItem: number;
  itemsPerDay: number;
  usdPerMonth: number;
}

/** What recording costs if so many items are recorded a day; the number is the operator's, nobody else knows it. */
export function estimatePrice(itemsPerDay: number): PriceEstimate {
  const usdPerMonth = Math.round(itemsPerDay * DAYS_PER_MONTH * USD_PER_ITEM * 100) / 100;
  return { usdPerItem: USD_PER_ITEM, itemsPerDay, usdPerMonth };
}
