import "i18next";

import type accounts from "./en/accounts.json";
import type alerts from "./en/alerts.json";
import type agents from "./en/agents.json";
import type analytics from "./en/analytics.json";
import type channels from "./en/channels.json";
import type common from "./en/common.json";
import type config from "./en/config.json";
import type login from "./en/login.json";
import type overview from "./en/overview.json";
import type planes from "./en/planes.json";
import type settings from "./en/settings.json";
import type requests from "./en/requests.json";
import type tenants from "./en/tenants.json";
import type routing from "./en/routing.json";
import type welcome from "./en/welcome.json";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "common";
    resources: {
      accounts: typeof accounts;
      alerts: typeof alerts;
      agents: typeof agents;
      analytics: typeof analytics;
      channels: typeof channels;
      common: typeof common;
      config: typeof config;
      login: typeof login;
      overview: typeof overview;
      planes: typeof planes;
      settings: typeof settings;
      requests: typeof requests;
      tenants: typeof tenants;
      routing: typeof routing;
      welcome: typeof welcome;
    };
  }
}
