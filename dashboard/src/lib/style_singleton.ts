/**
 * In place of react-style-singleton: the same exports, but the rules go into a
 * constructed style sheet.  A <style> element would need 'unsafe-inline'.
 */
import { useEffect } from "react";

export function stylesheetSingleton() {
  let users = 0;
  let sheet: CSSStyleSheet | null = null;

  return {
    add(css: string) {
      if (users++ === 0) {
        sheet = new CSSStyleSheet();
        sheet.replaceSync(css);
        document.adoptedStyleSheets.push(sheet);
      }
    },
    remove() {
      if (--users === 0 && sheet) {
        const gone = sheet;
        document.adoptedStyleSheets = document.adoptedStyleSheets.filter(
          (one) => one !== gone,
        );
        sheet = null;
      }
    },
  };
}

export function styleHookSingleton() {
  const sheet = stylesheetSingleton();

  return (css: string, dynamic?: boolean) => {
    useEffect(() => {
      sheet.add(css);
      return () => sheet.remove();
    }, [css && dynamic]);
  };
}

export function styleSingleton() {
  const useStyle = styleHookSingleton();

  return function Sheet(props: { styles: string; dynamic?: boolean }) {
    useStyle(props.styles, props.dynamic);
    return null;
  };
}
