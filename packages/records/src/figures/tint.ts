/** How much of a bar's colour is its policy's; the rest is white. */
const palest = 0.15;
const darkest = 0.65;

/** A colour mixed with white, darker from value to value, but never so dark that it hides an error bar. */
export const tint = (colour: string, index: number, count: number): string => {
  const share = count === 1 ? darkest : palest + ((darkest - palest) * index) / (count - 1);
  const channels = [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16));
  return `#${channels
    .map((channel) =>
      Math.round(255 - share * (255 - channel))
        .toString(16)
        .padStart(2, "0"),
    )
    .join("")}`;
};
