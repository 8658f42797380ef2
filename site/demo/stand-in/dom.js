// Elements of the page.

const STYLE = new URL("./stand-in.css", import.meta.url).href;

export function make(name, properties, ...children) {
  const { role, ariaLabel, ...others } = properties; // attributes: as properties they are too new
  const element = Object.assign(document.createElement(name), others);
  if (role) element.setAttribute("role", role);
  if (ariaLabel) element.setAttribute("aria-label", ariaLabel);
  element.append(...children);
  return element;
}

export function makeBall(label, onClick) {
  const ball = make("button", { type: "button", className: "coze-ast-btn", ariaLabel: label });
  ball.addEventListener("click", onClick);
  return ball;
}

export function addStyle() {
  if (document.querySelector(`link[href="${STYLE}"]`)) return;
  document.head.append(make("link", { rel: "stylesheet", href: STYLE }));
}
