"""Laravel's forms: fields, answers, pages, dates and money on the wire."""
