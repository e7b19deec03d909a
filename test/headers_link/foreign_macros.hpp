// SPDX-License-Identifier: BSL-1.0
// Macros of other libraries that are also ordinary words. A program may include such a library before tofu.
#ifndef TOFU_TEST_FOREIGN_MACROS_HPP
#define TOFU_TEST_FOREIGN_MACROS_HPP

// Windows: minwindef.h, winbase.h, wingdi.h, winnt.h, winerror.h, rpc.h, rpcndr.h, combaseapi.h of the SDK.
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define small char
#define hyper __int64
#define near
#define far
#define interface struct
#define pascal
#define cdecl
#define IN
#define OUT
#define OPTIONAL
#define CONST const
#define THIS void
#define STRICT 1
#define DELETE (0x00010000L)
#define ERROR 0
#define NO_ERROR 0L
#define IGNORE 0
#define ABSOLUTE 1
#define RELATIVE 2
#define OPAQUE 2
#define TRANSPARENT 1
#define ALTERNATE 1
#define DIFFERENCE 11
#define Yield()
#define GetMessage GetMessageA
#define SendMessage SendMessageA
#define GetObject GetObjectA
#define CreateEvent CreateEventA

// Qt: qtmetamacros.h and qforeach.h of Qt 6, qobjectdefs.h and qglobal.h of Qt 5; unless QT_NO_KEYWORDS is defined.
#define signals public
#define slots
#define emit
#define Q_FOREVER for (;;)
#define forever Q_FOREVER
#define foreach(variable, container) for (variable : container)

// X11: Xlib.h, then X.h (the words of it that are not plainly names of X11).
#define Bool int
#if !defined(_WIN32) // IO_STATUS_BLOCK of the Windows SDK has a member of that name
#define Status int
#endif
#define True 1
#define False 0
#define AllPlanes ((unsigned long)~0L)
#define None 0L
#define InputFocus 1L
#define PointerRoot 1L
#define AnyKey 0L
#define AnyButton 0L
#define CurrentTime 0L
#define NoSymbol 0L
#define KeyPress 2
#define KeyRelease 3
#define ButtonPress 4
#define ButtonRelease 5
#define MotionNotify 6
#define EnterNotify 7
#define LeaveNotify 8
#define FocusIn 9
#define FocusOut 10
#define Expose 12
#define NoExpose 14
#define CreateNotify 16
#define DestroyNotify 17
#define MapRequest 20
#define ClientMessage 33
#define GenericEvent 35
#define ShiftMask (1 << 0)
#define LockMask (1 << 1)
#define ControlMask (1 << 2)
#define NotifyNormal 0
#define FamilyInternet 0
#define FamilyInternet6 6
#define GrabSuccess 0
#define AlreadyGrabbed 1
#define SyncBoth 7
#define AsyncBoth 6
#define RevertToNone (int)None
#define Success 0
#define BadRequest 1
#define BadValue 2
#define BadWindow 3
#define BadMatch 8
#define BadAccess 10
#define BadAlloc 11
#define BadName 15
#define BadLength 16
#define InputOutput 1
#define InputOnly 2
#define NotUseful 0
#define WhenMapped 1
#define Always 2
#define DestroyAll 0
#define Above 0
#define Below 1
#define TopIf 2
#define BottomIf 3
#define Opposite 4
#define LineSolid 0
#define FillSolid 0
#define EvenOddRule 0
#define Unsorted 0
#define YSorted 1
#define Complex 0
#define Nonconvex 1
#define Convex 2
#define AllocNone 0
#define AllocAll 1
#define DoRed (1 << 0)
#define CursorShape 0
#define MappingSuccess 0
#define MappingBusy 1
#define MappingFailed 2
#define HostInsert 0
#define HostDelete 1
#define EnableAccess 1
#define DisableAccess 0
#define GrayScale 1
#define TrueColor 4
#define LSBFirst 0
#define MSBFirst 1

// macOS: AssertMacros.h (unless __ASSERT_MACROS_DEFINE_VERSIONS_WITHOUT_UNDERSCORES is 0), objc/objc.h.
#define check(assertion) ((void)(assertion))
#define check_noerr(error) ((void)(error))
#define verify(assertion) ((void)(assertion))
#define verify_noerr(error) ((void)(error))
#define require(assertion, label)                                                                                      \
    if (!(assertion)) goto label
#define require_action(assertion, label, action)                                                                       \
    if (!(assertion)) {                                                                                                \
        action;                                                                                                        \
        goto label;                                                                                                    \
    }
#define require_noerr(error, label)                                                                                    \
    if ((error) != 0) goto label
#define nil nullptr
#define Nil nullptr
#define YES true
#define NO false

// POSIX systems: sys/sysmacros.h, sys/param.h, termios.h, and the compiler's own in GNU mode (-std=gnu++20).
#define major(device) gnu_dev_major(device)
#define minor(device) gnu_dev_minor(device)
#define makedev(major, minor) gnu_dev_makedev(major, minor)
#define howmany(x, y) (((x) + ((y)-1)) / (y))
#define roundup(x, y) ((((x) + ((y)-1)) / (y)) * (y))
#define linux 1
#define unix 1
#define ECHO 0000010

// Character classes in <ctype.h> of newlib and of BSD systems.
#define _U 01
#define _L 02
#define _N 04
#define _S 010
#define _P 020
#define _C 040
#define _X 0100
#define _B 0200

// Words of many: logging and test libraries, embedded frameworks (Arduino.h), <assert.h> with NDEBUG.
#define assert(condition)
#define CHECK(condition)
#define REQUIRE(condition)
#define FAIL()
#define LOG(level)
#define DEBUG 1
#define INFO 1
#define EMPTY
#define DEFAULT 1
#define INPUT 0x0
#define OUTPUT 0x1
#define HIGH 0x1
#define LOW 0x0
#define bit(b) (1UL << (b))
#define interrupts()
#define round(x) ((long)((x) + 0.5))
#define sq(x) ((x) * (x))
#define debug 1
#define likely(condition) (condition)
#define unlikely(condition) (condition)

#endif
