/* page.h - the built page (page/dist), compiled in: running the daemon needs no files beside it. */
#ifndef ADAPTERS_WEB_PAGE_H
#define ADAPTERS_WEB_PAGE_H

#include <stddef.h>

struct page_file {
    const char *path; /* "/app.js" */
    const char *content_type;
    const char *etag; /* of its bytes, with quotes */
    const unsigned char *data;
    size_t len;
};

extern const struct page_file page_files[];
extern const size_t page_files_count;

#endif
