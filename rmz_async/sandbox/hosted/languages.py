"""The pages' words, in English and Arabic."""

from __future__ import annotations

from decimal import Decimal

import attrs
from starlette.requests import Request

from rmz_async.sandbox.store.durations import Duration
from rmz_async.sandbox.wire.forms import arabic_digits, price_label

__all__ = ("ARABIC", "ENGLISH", "Language", "language_of")


@attrs.frozen
class Language:
    """One language: its tag, the direction of its script, its periods, and every text by key."""

    tag: str
    direction: str
    periods: dict[Duration, str]
    texts: dict[str, str]

    def price(self, amount: Decimal) -> str:
        """Return a price in SAR as a reader expects it."""
        return price_label(amount) if self.tag == "ar" else f"SAR {amount:,.2f}"

    def count(self, number: int) -> str:
        """Return a number of pieces as a reader expects it."""
        return arabic_digits(f"{number:,}") if self.tag == "ar" else f"{number:,}"


ENGLISH = Language(
    "en",
    "ltr",
    {
        Duration.MONTHLY: "month",
        Duration.QUARTERLY: "3 months",
        Duration.SEMI_ANNUAL: "6 months",
        Duration.ANNUALLY: "year",
        Duration.BIENNIAL: "2 years",
        Duration.QUINQUENNIAL: "5 years",
        Duration.DECENNIAL: "10 years",
    },
    {
        "banner": "Sandbox: no money moves",
        "checkout": "Checkout",
        "per": "every",
        "customer": "Customer",
        "email": "Email",
        "phone": "Phone",
        "total": "Due today",
        "pay": "Pay",
        "cancel": "Cancel and go back",
        "your_order": "Your order",
        "from": "from",
        "discount": "Discount",
        "first_name": "First name",
        "last_name": "Last name",
        "dial_code": "Country",
        "wrong": "Please check the marked fields.",
        "receipt": "Receipt",
        "receipt_title": "Paid. Thank you!",
        "order_number": "Order number",
        "paid_sum": "Paid",
        "sold_out_title": "This is sold out",
        "sold_out": "Someone else was faster. Nothing was charged.",
        "expires": "This page is open until",
        "other": "العربية",
        "missing_title": "There is no such page",
        "missing": "The link is wrong. Go back to the shop and start again.",
        "expired_title": "This page has expired",
        "expired": "Nothing was charged. Go back to the shop and start again.",
        "paid_title": "This is paid already",
        "paid": "Your subscription is ready, and you are not charged twice.",
        "continue": "Continue to the shop",
        "back": "Back to the shop",
        "used_title": "This link was used already",
        "used": "A link to the billing portal opens once. Ask the shop for a new one.",
        "portal_title": "Billing portal",
        "portal": "The link is good. Managing subscriptions is not a part of the sandbox yet.",
    },
)
ARABIC = Language(
    "ar",
    "rtl",
    {
        Duration.MONTHLY: "شهر",
        Duration.QUARTERLY: "٣ أشهر",
        Duration.SEMI_ANNUAL: "٦ أشهر",
        Duration.ANNUALLY: "سنة",
        Duration.BIENNIAL: "سنتين",
        Duration.QUINQUENNIAL: "٥ سنوات",
        Duration.DECENNIAL: "١٠ سنوات",
    },
    {
        "banner": "بيئة تجريبية: لا تُخصم أي مبالغ",
        "checkout": "إتمام الدفع",
        "per": "كل",
        "customer": "العميل",
        "email": "البريد الإلكتروني",
        "phone": "الجوال",
        "total": "المستحق اليوم",
        "pay": "ادفع",
        "cancel": "إلغاء والعودة",
        "your_order": "طلبك",
        "from": "من",
        "discount": "الخصم",
        "first_name": "الاسم الأول",
        "last_name": "اسم العائلة",
        "dial_code": "الدولة",
        "wrong": "يرجى مراجعة الحقول المحددة.",
        "receipt": "إيصال",
        "receipt_title": "تم الدفع، شكرًا لك!",
        "order_number": "رقم الطلب",
        "paid_sum": "المبلغ المدفوع",
        "sold_out_title": "نفدت الكمية",
        "sold_out": "سبقك عميل آخر. لم يُخصم أي مبلغ.",
        "expires": "هذه الصفحة متاحة حتى",
        "other": "English",
        "missing_title": "الصفحة غير موجودة",
        "missing": "الرابط غير صحيح. عُد إلى المتجر وابدأ من جديد.",
        "expired_title": "انتهت صلاحية هذه الصفحة",
        "expired": "لم يُخصم أي مبلغ. عُد إلى المتجر وابدأ من جديد.",
        "paid_title": "تم الدفع مسبقًا",
        "paid": "اشتراكك جاهز، ولن يُخصم المبلغ مرتين.",
        "continue": "المتابعة إلى المتجر",
        "back": "العودة إلى المتجر",
        "used_title": "استُخدم هذا الرابط من قبل",
        "used": "رابط بوابة الفواتير يُفتح مرة واحدة. اطلب رابطًا جديدًا من المتجر.",
        "portal_title": "بوابة الفواتير",
        "portal": "الرابط صالح. إدارة الاشتراكات هنا ليست جزءًا من البيئة التجريبية بعد.",
    },
)


def language_of(request: Request) -> Language:
    """Return the language that ``?lang=`` names, or else the one that the browser likes better."""
    named = request.query_params.get("lang")
    if named is not None:
        return ARABIC if named == "ar" else ENGLISH
    liked = _liking("ar", request) > _liking("en", request)
    return ARABIC if liked else ENGLISH


def _liking(tag: str, request: Request) -> float:
    """Return the best quality that ``Accept-Language`` gives to *tag*, 0 where it is not named."""
    best = 0.0
    for choice in request.headers.get("accept-language", "").lower().split(","):
        name, _, quality = choice.strip().partition(";q=")
        if name.split("-")[0] == tag:
            try:
                best = max(best, float(quality or 1))
            except ValueError:
                continue
    return best
