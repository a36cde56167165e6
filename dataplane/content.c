#include "dataplane/content.h"

#include <ctype.h>
#include <string.h>

#include "shared/attr.h"

static const char *const category_names[] = {
#define NAME(id, name) name,
    CONTENT_CATEGORIES(NAME)
};
static const char *const level_names[] = { CONTENT_LEVELS(NAME) };
static const char *const language_names[] = { CONTENT_LANGUAGES(NAME) };
static const char *const intent_names[] = { CONTENT_INTENTS(NAME)
#undef NAME
};

const char *
content_category_name(enum content_category c)
{
    return category_names[c];
}

const char *
content_level_name(enum content_level l)
{
    return level_names[l];
}

const char *
content_language_name(enum content_language l)
{
    return language_names[l];
}

const char *
content_intent_name(enum content_intent i)
{
    return intent_names[i];
}

static bool
is_word_byte(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 || c == '_';
}

/* Runs of letters and digits; scripts without blanks count by six bytes. */
static uint32_t
count_words(rx_str s)
{
    uint32_t words = 0;
    size_t high = 0;
    bool inside = false;

    for (size_t i = 0; i < s.len; i++) {
        bool word = is_word_byte(s.ptr[i]);
        high += (unsigned char)s.ptr[i] >= 0xe3;
        words += word && !inside;
        inside = word;
    }
    return words + (uint32_t)(high / 2);
}

/* How often `words` (in lower case, whole words) stand in the text. */
static unsigned
count_of(rx_str s, const char *words)
{
    size_t n = strlen(words);
    unsigned count = 0;

    for (size_t i = 0; i + n <= s.len; i++) {
        if (tolower((unsigned char)s.ptr[i]) != words[0])
            continue;
        size_t k = 1;
        while (k < n && tolower((unsigned char)s.ptr[i + k]) == words[k])
            k++;
        bool before =
            i == 0 || !is_word_byte(s.ptr[i - 1]) || !is_word_byte(words[0]);
        bool after = i + n == s.len || !is_word_byte(s.ptr[i + n]) ||
                     !is_word_byte(words[n - 1]);
        if (k == n && before && after) {
            count++;
            i += n - 1;
        }
    }
    return count;
}

/* A word speaks for one of several choices. */
struct hint {
    unsigned char choice;
    const char *words;
};

/* The choice with most hints; the first of equals; 0 when there is none. */
static unsigned
choose(rx_str s, const struct hint *hints, size_t n, unsigned *most)
{
    unsigned votes[16] = { 0 };
    unsigned best = 0;

    for (size_t i = 0; i < n; i++)
        votes[hints[i].choice] += count_of(s, hints[i].words);
    for (unsigned c = 1; c < RX_COUNT(votes); c++) {
        if (votes[c] > votes[best] || (best == 0 && votes[c] > 0))
            best = c;
    }
    *most = votes[best];
    return best;
}

/* What stands in code of a language and seldom anywhere else. */
static const struct hint languages[] = {
    { LANGUAGE_PYTHON, "```python" },
    { LANGUAGE_PYTHON, "```py" },
    { LANGUAGE_PYTHON, "def " },
    { LANGUAGE_PYTHON, "elif " },
    { LANGUAGE_PYTHON, "self." },
    { LANGUAGE_PYTHON, "__init__" },
    { LANGUAGE_JAVASCRIPT, "```javascript" },
    { LANGUAGE_JAVASCRIPT, "```js" },
    { LANGUAGE_JAVASCRIPT, "console.log" },
    { LANGUAGE_JAVASCRIPT, "=>" },
    { LANGUAGE_JAVASCRIPT, "require(" },
    { LANGUAGE_TYPESCRIPT, "```typescript" },
    { LANGUAGE_TYPESCRIPT, "```ts" },
    { LANGUAGE_TYPESCRIPT, ": string" },
    { LANGUAGE_TYPESCRIPT, ": number" },
    { LANGUAGE_JAVA, "```java" },
    { LANGUAGE_JAVA, "public class" },
    { LANGUAGE_JAVA, "system.out.println" },
    { LANGUAGE_C, "```c" },
    { LANGUAGE_C, "#include <st" },
    { LANGUAGE_C, "malloc(" },
    { LANGUAGE_C, "printf(" },
    { LANGUAGE_CPP, "```cpp" },
    { LANGUAGE_CPP, "```c++" },
    { LANGUAGE_CPP, "std::" },
    { LANGUAGE_CPP, "cout <<" },
    { LANGUAGE_CSHARP, "```csharp" },
    { LANGUAGE_CSHARP, "```cs" },
    { LANGUAGE_CSHARP, "using system" },
    { LANGUAGE_CSHARP, "console.writeline" },
    { LANGUAGE_GO, "```go" },
    { LANGUAGE_GO, "package main" },
    { LANGUAGE_GO, ":= " },
    { LANGUAGE_GO, "fmt." },
    { LANGUAGE_RUST, "```rust" },
    { LANGUAGE_RUST, "fn main" },
    { LANGUAGE_RUST, "let mut" },
    { LANGUAGE_RUST, "impl " },
    { LANGUAGE_RUBY, "```ruby" },
    { LANGUAGE_RUBY, "puts " },
    { LANGUAGE_RUBY, "attr_accessor" },
    { LANGUAGE_PHP, "```php" },
    { LANGUAGE_PHP, "<?php" },
    { LANGUAGE_SQL, "```sql" },
    { LANGUAGE_SQL, "select * from" },
    { LANGUAGE_SQL, "insert into" },
    { LANGUAGE_SQL, "create table" },
    { LANGUAGE_SQL, "group by" },
    { LANGUAGE_SHELL, "```bash" },
    { LANGUAGE_SHELL, "```sh" },
    { LANGUAGE_SHELL, "#!/bin/" },
    { LANGUAGE_SHELL, "apt-get" },
    { LANGUAGE_SHELL, "sudo " },
};

static const struct hint categories[] = {
    { CATEGORY_CODING, "code" },
    { CATEGORY_CODING, "function" },
    { CATEGORY_CODING, "bug" },
    { CATEGORY_CODING, "implement" },
    { CATEGORY_CODING, "refactor" },
    { CATEGORY_CODING, "unit test" },
    { CATEGORY_CODING, "compile" },
    { CATEGORY_CODING, "class" },
    { CATEGORY_CODING, "api" },
    { CATEGORY_WRITING, "essay" },
    { CATEGORY_WRITING, "letter" },
    { CATEGORY_WRITING, "email" },
    { CATEGORY_WRITING, "article" },
    { CATEGORY_WRITING, "rewrite" },
    { CATEGORY_WRITING, "proofread" },
    { CATEGORY_ANALYSIS, "analyze" },
    { CATEGORY_ANALYSIS, "analyse" },
    { CATEGORY_ANALYSIS, "compare" },
    { CATEGORY_ANALYSIS, "evaluate" },
    { CATEGORY_ANALYSIS, "assess" },
    { CATEGORY_CONVERSATION, "hello" },
    { CATEGORY_CONVERSATION, "hi" },
    { CATEGORY_CONVERSATION, "thanks" },
    { CATEGORY_CONVERSATION, "how are you" },
    { CATEGORY_RESEARCH, "research" },
    { CATEGORY_RESEARCH, "sources" },
    { CATEGORY_RESEARCH, "cite" },
    { CATEGORY_RESEARCH, "literature" },
    { CATEGORY_RESEARCH, "study" },
    { CATEGORY_CREATIVE, "story" },
    { CATEGORY_CREATIVE, "poem" },
    { CATEGORY_CREATIVE, "song" },
    { CATEGORY_CREATIVE, "imagine" },
    { CATEGORY_CREATIVE, "brainstorm" },
    { CATEGORY_TECHNICAL, "server" },
    { CATEGORY_TECHNICAL, "database" },
    { CATEGORY_TECHNICAL, "network" },
    { CATEGORY_TECHNICAL, "deploy" },
    { CATEGORY_TECHNICAL, "configure" },
    { CATEGORY_TECHNICAL, "kubernetes" },
    { CATEGORY_TECHNICAL, "docker" },
};

static const struct hint intents[] = {
    { INTENT_DEBUG, "debug" },
    { INTENT_DEBUG, "fix" },
    { INTENT_DEBUG, "error" },
    { INTENT_DEBUG, "exception" },
    { INTENT_DEBUG, "crash" },
    { INTENT_DEBUG, "not working" },
    { INTENT_REVIEW, "review" },
    { INTENT_REVIEW, "feedback" },
    { INTENT_REVIEW, "critique" },
    { INTENT_ANALYSIS, "analyze" },
    { INTENT_ANALYSIS, "analyse" },
    { INTENT_ANALYSIS, "explain" },
    { INTENT_ANALYSIS, "compare" },
    { INTENT_GENERATION, "write" },
    { INTENT_GENERATION, "generate" },
    { INTENT_GENERATION, "create" },
    { INTENT_GENERATION, "draft" },
    { INTENT_TASK, "add" },
    { INTENT_TASK, "change" },
    { INTENT_TASK, "update" },
    { INTENT_TASK, "remove" },
    { INTENT_TASK, "run" },
    { INTENT_TASK, "implement" },
    { INTENT_QUESTION, "what" },
    { INTENT_QUESTION, "why" },
    { INTENT_QUESTION, "how" },
    { INTENT_QUESTION, "when" },
    { INTENT_QUESTION, "where" },
    { INTENT_QUESTION, "who" },
    { INTENT_QUESTION, "which" },
};

static bool
looks_like_code(rx_str s, unsigned language_hints)
{
    unsigned ends = 0; /* lines that end as code does */

    if (memmem(s.ptr, s.len, "```", 3) != NULL)
        return true;
    for (size_t i = 0; i + 1 < s.len; i++)
        ends += s.ptr[i + 1] == '\n' &&
                (s.ptr[i] == ';' || s.ptr[i] == '{' || s.ptr[i] == '}');
    return ends >= 2 || language_hints >= 2;
}

static enum content_level
level_of(const struct content *c, size_t messages)
{
    if (c->words > 2000 || (c->code && c->words > 500))
        return LEVEL_VERY_COMPLEX;
    if (c->words > 500 || (c->code && c->words > 200) || messages > 10)
        return LEVEL_COMPLEX;
    if (c->words > 100 || messages > 3)
        return LEVEL_MODERATE;
    return LEVEL_SIMPLE;
}

void
content_judge(struct content *out, rx_str text, size_t messages)
{
    unsigned most;
    rx_str head = { text.len > 0 ? text.ptr : "", text.len };

    /* What somebody wants is said at the front; the rest is what it is about. */
    if (head.len > 8192)
        head.len = 8192;
    *out = (struct content){ .words = count_words(text) };
    out->language = (enum content_language)choose(
        head, languages, RX_COUNT(languages), &most);
    out->code = looks_like_code(head, most);
    if (!out->code)
        out->language = LANGUAGE_NONE;
    out->category = (enum content_category)choose(
        head, categories, RX_COUNT(categories), &most);
    if (out->code && out->category != CATEGORY_CODING)
        out->category = CATEGORY_CODING;
    out->intent =
        (enum content_intent)choose(head, intents, RX_COUNT(intents), &most);
    if (most == 0 && memchr(head.ptr, '?', head.len) != NULL)
        out->intent = INTENT_QUESTION;
    out->level = level_of(out, messages);
}
