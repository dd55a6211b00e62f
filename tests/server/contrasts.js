// Texts that have less contrast to their ground than 4.5 to 1 (WCAG 2.2, level AA).
() => {
  const parse = (colour) => {
    const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
    return { rgb: [red, green, blue], alpha };
  };
  const luminance = ({ rgb }) => {
    const [red, green, blue] = rgb.map((each) => {
      const part = each / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (element) => {
    for (let each = element; each !== null; each = each.parentElement) {
      const colour = parse(getComputedStyle(each).backgroundColor);
      if (colour.alpha === 1) return colour;
    }
    return parse("rgb(255, 255, 255)");
  };
  const texts = [...document.querySelectorAll("body *")].filter(
    (each) =>
      each.checkVisibility({ visibilityProperty: true }) &&
      !each.closest("button:disabled, .unseen, noscript, script") &&
      [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ""),
  );
  if (texts.length < 20) return ["there are hardly any texts"];
  return texts
    .map((each) => {
      const of = [luminance(parse(getComputedStyle(each).color)), luminance(ground(each))];
      const contrast = (Math.max(...of) + 0.05) / (Math.min(...of) + 0.05);
      return { text: each.textContent.trim().slice(0, 40), contrast };
    })
    .filter(({ contrast }) => contrast < 4.5);
}
