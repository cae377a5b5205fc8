import { useEffect, useState } from "preact/hooks";

/** The reader's colour scheme: a canvas, unlike CSS, has to be drawn again when it changes. */
export const useScheme = (): "light" | "dark" => {
  const [dark, setDark] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const follow = (): void => setDark(media.matches);
    media.addEventListener("change", follow);
    return () => media.removeEventListener("change", follow);
  }, []);
  return dark ? "dark" : "light";
};

const query = "(prefers-color-scheme: dark)";
